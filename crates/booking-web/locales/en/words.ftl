# Dates, times, durations, money and places. Weekdays count from Monday.

weekday = { $weekday ->
    [1] Monday
    [2] Tuesday
    [3] Wednesday
    [4] Thursday
    [5] Friday
    [6] Saturday
   *[7] Sunday
}
weekday-short = { $weekday ->
    [1] Mon
    [2] Tue
    [3] Wed
    [4] Thu
    [5] Fri
    [6] Sat
   *[7] Sun
}
month = { $month ->
    [1] January
    [2] February
    [3] March
    [4] April
    [5] May
    [6] June
    [7] July
    [8] August
    [9] September
    [10] October
    [11] November
   *[12] December
}

# "Wednesday 24 March 2027"
date = { weekday } { $day } { month } { $year }
# The same within a sentence: "on Wednesday 24 March 2027"
date-on = on { weekday } { $day } { month } { $year }
# "Wed 24 March"
date-short = { weekday-short } { $day } { month }
# "March 2027"
month-of-year = { month } { $year }
# "March to April 2027": $from and $until are names of months, with or without their year.
months = { $from } to { $until }
# "09:30 to 10:15"
hours = { $from } to { $until }
# "Wednesday 24 March 2027, 09:30"
date-and-clock = { $date }, { $clock }
# "09:30 on Wednesday 24 March 2027": $date is a "date-on".
moment = { $clock } { $date }

minutes = { $minutes ->
    [one] { $minutes } minute
   *[other] { $minutes } minutes
}
hours-long = { $hours ->
    [one] { $hours } hour
   *[other] { $hours } hours
}
# "1 hour 30 minutes": $hours and $minutes are such words.
hours-and-minutes = { $hours } { $minutes }

# "R350", and "KES 350" where a currency has no sign here. The space does not break.
price = { $sign }{ $amount }
price-of-currency = { $code } { $amount }
free = Free
free-times = { $count ->
    [0] no free times
    [one] 1 free time
   *[other] { $count } free times
}
free-times-few = { $count ->
    [one] only 1 free time
   *[other] only { $count } free times
}
free-times-none = no times left
day-closed = closed
day-out-of-reach = cannot be booked

before-clocks-change = , before the clocks change
after-clocks-change = , after the clocks change

zone-south-africa = South Africa Standard Time
zone-central-africa = Central Africa Time
zone-east-africa = East Africa Time
# "Lisbon time"
zone-of-city = { $city } time

seats-left = { $count ->
    [0] no seats left
    [one] 1 seat left
   *[other] { $count } seats left
}
