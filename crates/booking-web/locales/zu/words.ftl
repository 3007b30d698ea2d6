# Dates, times, durations, money and places. Weekdays count from Monday.

weekday = { $weekday ->
    [1] UMsombuluko
    [2] ULwesibili
    [3] ULwesithathu
    [4] ULwesine
    [5] ULwesihlanu
    [6] UMgqibelo
   *[7] ISonto
}
weekday-short = { $weekday ->
    [1] Mso
    [2] Bil
    [3] Tha
    [4] Sin
    [5] Hla
    [6] Mgq
   *[7] Son
}
month = { $month ->
    [1] Januwari
    [2] Februwari
    [3] Mashi
    [4] Ephreli
    [5] Meyi
    [6] Juni
    [7] Julayi
    [8] Agasti
    [9] Septhemba
    [10] Okthoba
    [11] Novemba
   *[12] Disemba
}

# "Wednesday 24 March 2027"
date = { weekday } { $day } { month } { $year }
# The same within a sentence: "on Wednesday 24 March 2027"
date-on = { $weekday ->
    [1] ngoMsombuluko
    [2] ngoLwesibili
    [3] ngoLwesithathu
    [4] ngoLwesine
    [5] ngoLwesihlanu
    [6] ngoMgqibelo
   *[7] ngeSonto
} { $day } { month } { $year }
# "Wed 24 March"
date-short = { weekday-short } { $day } { month }
# "March 2027"
month-of-year = { month } { $year }
# "March to April 2027": $from and $until are names of months, with or without their year.
months = { $from } kuya ku-{ $until }
# "09:30 to 10:15"
hours = { $from } kuya ku-{ $until }
# "Wednesday 24 March 2027, 09:30"
date-and-clock = { $date }, { $clock }
# "09:30 on Wednesday 24 March 2027": $date is a "date-on".
moment = { $clock } { $date }

minutes = { $minutes ->
    [1] umzuzu ongu-{ $minutes }
   *[other] imizuzu engu-{ $minutes }
}
hours-long = { $hours ->
    [1] ihora elingu-{ $hours }
   *[other] amahora angu-{ $hours }
}
# "1 hour 30 minutes": $hours and $minutes are such words.
hours-and-minutes = { $hours }, { $minutes }

# "R350", and "KES 350" where a currency has no sign here. The space does not break.
price = { $sign }{ $amount }
price-of-currency = { $code } { $amount }
free = Mahhala
free-times = { $count ->
    [0] azikho izikhathi ezikhululekile
    [1] isikhathi esikhululekile esingu-1
   *[other] izikhathi ezikhululekile ezingu-{ $count }
}
free-times-few = { $count ->
    [1] kusele isikhathi esingu-1 kuphela
   *[other] kusele izikhathi ezingu-{ $count } kuphela
}
free-times-none = azikho izikhathi ezisele
day-closed = kuvaliwe
day-out-of-reach = akubhukeki

before-clocks-change = , ngaphambi kokuba kushintshwe amawashi
after-clocks-change = , emva kokuba kushintshwe amawashi

zone-south-africa = Isikhathi Esijwayelekile SaseNingizimu Afrika
zone-central-africa = Isikhathi SaseNkabazwe Afrika
zone-east-africa = Isikhathi SaseMpumalanga Afrika
# "Lisbon time"
zone-of-city = Isikhathi sase-{ $city }

seats-left = { $count ->
    [0] azikho izihlalo ezisele
    [1] kusele isihlalo esingu-1
   *[other] kusele izihlalo ezingu-{ $count }
}
