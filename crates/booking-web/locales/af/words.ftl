# Dates, times, durations, money and places. Weekdays count from Monday.

weekday = { $weekday ->
    [1] Maandag
    [2] Dinsdag
    [3] Woensdag
    [4] Donderdag
    [5] Vrydag
    [6] Saterdag
   *[7] Sondag
}
weekday-short = { $weekday ->
    [1] Ma
    [2] Di
    [3] Wo
    [4] Do
    [5] Vr
    [6] Sa
   *[7] So
}
month = { $month ->
    [1] Januarie
    [2] Februarie
    [3] Maart
    [4] April
    [5] Mei
    [6] Junie
    [7] Julie
    [8] Augustus
    [9] September
    [10] Oktober
    [11] November
   *[12] Desember
}

# "Wednesday 24 March 2027"
date = { weekday } { $day } { month } { $year }
# The same within a sentence: "on Wednesday 24 March 2027"
date-on = op { weekday } { $day } { month } { $year }
# "Wed 24 March"
date-short = { weekday-short } { $day } { month }
# "March 2027"
month-of-year = { month } { $year }
# "March to April 2027": $from and $until are names of months, with or without their year.
months = { $from } tot { $until }
# "09:30 to 10:15"
hours = { $from } tot { $until }
# "Wednesday 24 March 2027, 09:30"
date-and-clock = { $date }, { $clock }
# "09:30 on Wednesday 24 March 2027": $date is a "date-on".
moment = { $clock } { $date }

minutes = { $minutes ->
    [one] { $minutes } minuut
   *[other] { $minutes } minute
}
hours-long = { $hours ->
    [one] { $hours } uur
   *[other] { $hours } uur
}
# "1 hour 30 minutes": $hours and $minutes are such words.
hours-and-minutes = { $hours } { $minutes }

# "R350", and "KES 350" where a currency has no sign here. The space does not break.
price = { $sign } { $amount }
price-of-currency = { $code } { $amount }
free = Gratis
free-times = { $count ->
    [0] geen vry tye nie
    [one] 1 vry tyd
   *[other] { $count } vry tye
}
free-times-few = { $count ->
    [one] net 1 vry tyd
   *[other] net { $count } vry tye
}
free-times-none = geen tye oor nie
day-closed = gesluit
day-out-of-reach = kan nie bespreek word nie

before-clocks-change = , voor die horlosies verstel word
after-clocks-change = , nadat die horlosies verstel is

zone-south-africa = Suid-Afrikaanse Standaardtyd
zone-central-africa = Sentraal-Afrikatyd
zone-east-africa = Oos-Afrikatyd
# "Lisbon time"
zone-of-city = { $city }-tyd

seats-left = { $count ->
    [0] geen plekke oor nie
    [one] 1 plek oor
   *[other] { $count } plekke oor
}
