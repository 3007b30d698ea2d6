# What surrounds every page.

site-name = Booking
frame-description = Bhukha isikhathi ebhizinisini eliseduze nawe, ngaphansi komzuzu.
frame-skip = Yeqela kokuqukethwe
frame-no-account = Awudingi i-akhawunti
frame-privacy = Imininingwane yakho iya ebhizinisini obhukha kulo kuphela, ayiyi komunye umuntu.
frame-release = Inguqulo
frame-languages = Ulimi
frame-here = Lapho ukhona manje

# Before the title of a page on which something must be corrected.
frame-error = Iphutha:
problems-title = { $count ->
    [1] Kukhona into eyodwa okufanele uyilungise
   *[other] Kukhona izinto ezingu-{ $count } okufanele uzilungise
}
optional = (akuphoqelekile)
