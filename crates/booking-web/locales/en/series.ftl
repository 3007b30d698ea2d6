# Visits that repeat.

booked-repeat = Repeat it
series-title = Repeat the booking
series-lede = { $service } with { $business }, { $time }, and again:
series-every = How often
series-week = Every week
series-fortnight = Every second week
series-month = Every month
series-count = How many more times
series-count-range = Give a number from 1 to { $max }
series-every-missing = Choose how often
series-look = Look at the times
series-plan = The times
series-nothing-yet = Nothing is booked yet. Each time keeps its hour on the clock.
series-all-free = All of them are free.
series-taken = { $count ->
    [one] One of them cannot be had. Choose another time for it, or leave it out.
   *[other] { $count } of them cannot be had. Choose other times for them, or leave them out.
}
series-free = Free
series-not-free = Cannot be had
series-skip = Leave this one out
series-yes = Book the chosen times
series-none-chosen = Choose at least one time
series-done-title = Booked
series-done = { $count ->
    [one] One visit is booked.
   *[other] { $count } visits are booked.
}
series-done-gone = Somebody was faster with these. They are not booked:
series-back = Back to the booking
cancel-rest = { $count ->
    [one] Also the visit of this series that comes after it
   *[other] Also the { $count } visits of this series that come after it
}
cancel-rest-hint = Each costs what its own notice makes it cost.
