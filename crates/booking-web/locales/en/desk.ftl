# The desk: what surrounds its pages, today, and the calendar.

desk-title = Desk
desk-today = Today
desk-calendar = Calendar
desk-see-page = See the public page
desk-demonstration = This account and its password are public. Nothing here is anybody’s.
desk-done-saved = Saved.
desk-done-again = It is sent again.
desk-done-merged = Merged.
desk-back = Back
desk-nobody-yet = Being booked now

desk-days = Days
desk-earlier = Earlier
desk-later = Later
desk-date = Date
desk-show = Show
desk-views = View
desk-day = Day
desk-week = Week

today-late = Late
today-late-by = { $time } late
today-to-finish = To be completed
today-there = Here now
today-next = Next
today-next-none = Nothing more is booked for today.
today-later = { $count ->
    [one] One more later today
   *[other] { $count } more later today
}
today-gaps = Free today
today-gaps-none = There is no half hour left today.

today-not-sent = { $count ->
    [one] One message could not be sent
   *[other] { $count } messages could not be sent
}

calendar-whose = Whose calendar
calendar-everybody = Everybody
calendar-nobody-title = Nobody has a calendar yet
calendar-nobody = As soon as there is staff, their days are shown here.
calendar-closed = closed
calendar-break = Break
calendar-away = away:
calendar-nothing = Nothing booked
calendar-visits = { $count ->
    [0] nothing booked
    [one] 1 booking
   *[other] { $count } bookings
}

# Where a booking stands.
state-held = Being booked now
state-expired = Not completed
state-confirmed = Confirmed
state-arrived = Here
state-completed = Completed
state-no-show = Did not come
state-cancelled-by-customer = Cancelled by the customer
state-cancelled-by-business = Cancelled by us

# Why somebody is away, or something cannot be used.
away-leave = Leave
away-sick = Sick
away-training = Training
away-closed = Closed
away-other = Not available

desk-save = Save
desk-changed = Somebody else changed this meanwhile. Look at what stands there now before you save.

booking-notes = Notes
booking-customer-note = The customer wrote:
booking-desk-note = For staff
booking-desk-note-hint = The customer does not see this.
booking-history = History
booking-facts = What was agreed
booking-fee = Fee
booking-phone = Phone
booking-email = E-mail
booking-customer = The customer’s record

# What happened, and by whom.
history-held = The time was held
history-extended = The time was held for longer
history-expired = The time was let go
history-confirmed = Booked
history-arrived = Arrived
history-arrival-undone = Not here after all
history-completed = Completed
history-no-show = Did not come
history-no-show-undone = Came after all
history-cancelled = Cancelled
history-moved = Moved from { $from } to { $to }
history-added = Added
history-merged = Merged with another record
history-changed = Changed
history-noted = The note was changed
history-hold = A hold was placed
history-hold-lifted = The hold was lifted
history-by = by { $name }
history-by-customer = by the customer
history-by-staff = by staff
history-by-clock = by itself
