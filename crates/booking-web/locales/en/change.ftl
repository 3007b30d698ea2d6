# What staff does to bookings: making, moving and calling them off, and time off.

change-title = What now?
change-arrived = Arrived
change-completed = Completed
change-no-show = Did not come
change-not-arrived = Not here after all
change-came = Came after all
change-no-show-undo = Take back “did not come”
change-move = Move
change-cancel = Cancel
change-repeat = Repeat
change-not-now = That cannot be done to this booking now.
change-meanwhile = Somebody changed this booking meanwhile. Look at how it stands now.

desk-done-booked = Booked.
desk-done-told = Noted.
desk-done-moved = Moved. The customer is told.
desk-done-cancelled = Cancelled. The customer is told.
desk-done-away = The time off is entered.
desk-done-back = The time off is ended.

# How a booking came about.
source-phone = Booked by phone
source-walk-in = Walked in
source-online = Booked online
booking-source = Came about
booking-cancel-reason = Reason for cancelling

desk-move-title = Move the booking
desk-move-from = { $name } is booked for { $time }.
desk-move-yes = Move to this time
desk-with = With
desk-anyone = Anyone
desk-gone = { $time } has just been taken. Choose another time.
desk-full = The day of { $time } is full: as many have booked as may that day or that week. Choose another day.
desk-no-times = No time is free { $day }.
desk-no-times-at-all = No time is free as far ahead as can be booked.
desk-soonest = Next free times

desk-cancel-title = Cancel the booking
desk-cancel-of = { $name }, { $time }
desk-cancel-whose = Who cancels?
desk-cancel-customer = The customer
desk-cancel-customer-fee = It costs them { $fee } now.
desk-cancel-customer-free = It costs them nothing now.
desk-cancel-business = We do
desk-cancel-business-hint = It costs the customer nothing.
desk-cancel-whose-missing = Choose who cancels
desk-cancel-waiver = Hospital or bereavement: no fee
desk-cancel-reason = Reason
desk-cancel-reason-hint = The customer does not see this.
desk-cancel-rest = { $count ->
    [one] Also the visit of this series that comes after it
   *[other] Also the { $count } visits of this series that come after it
}
desk-cancel-yes = Cancel it
desk-cancel-no = Keep it

book-title = New booking
book-service = Service
book-show = Show times
book-who = Who comes?
book-search = Name, number or e-mail of a customer
book-find = Find
book-found = Found
book-found-none = Nobody was found.
book-new = Somebody new
book-new-hint = Without an e-mail address nobody is written to.
book-guest-unknown = That customer is not there any more. Find them again.
book-note = What they want us to know
book-told = They were told what their details are used for
book-told-hint = What to tell them: the notice of this business
book-yes = Book

walk-in-title = Walk-in
walk-in-next = Who sees to them?
walk-in-now = now
walk-in-none = Nobody can see to them today.
walk-in-gone = That has changed meanwhile. Look at who is free now.
walk-in-next-missing = Choose who sees to them
walk-in-yes = They are here

time-off-title = Time off
time-off-new = Enter time off
time-off-who = Who
time-off-why = Why
time-off-from = First day
time-off-opens = From, on the first day
time-off-until = Last day
time-off-closes = Until, on the last day
time-off-whole = Empty means the whole day.
time-off-look = Look at what it hits
time-off-staff-missing = Choose who is away
time-off-days = Give days and times in order that are not over
time-off-ahead = Entered
time-off-ahead-none = No time off is entered.
time-off-span = { $from } to { $until }
time-off-end = End it
time-off-check = Is that right?
time-off-hits = { $count ->
    [0] It hits no booking.
    [one] It hits one booking. Say what becomes of it.
   *[other] It hits { $count } bookings. Say what becomes of each.
}
time-off-at-once = Everything is done at once when you confirm; until then nothing has changed.
time-off-stays = It stays
time-off-move = Move to { $time }
time-off-cancel = Cancel it
time-off-undecided = Something was booked or changed meanwhile. Nothing was done yet: look again.
time-off-gone = A time to move to has just been taken. Nothing was done yet: choose again.
time-off-gone-one = That time has just been taken
time-off-again = Too much is being booked just now. Nothing was done: try again.
time-off-yes = Enter the time off
time-off-meanwhile = Booked or changed meanwhile
