# What surrounds every page.

site-name = Booking
frame-description = Bespreek binne ’n minuut ’n tyd by ’n besigheid naby jou.
frame-skip = Gaan na die inhoud
frame-no-account = Geen rekening nodig nie
frame-privacy = Jou besonderhede gaan na die besigheid waar jy bespreek, en na niemand anders nie.
frame-release = Weergawe
frame-languages = Taal
frame-here = Waar jy nou is

# Before the title of a page on which something must be corrected.
frame-error = Fout:
problems-title = { $count ->
    [one] Een ding het jou aandag nodig
   *[other] { $count } dinge het jou aandag nodig
}
optional = (opsioneel)
