# From choosing a time to a booking, and its end.

steps = Steps to book
step-time = Time
step-details = Your details
step-confirmed = Confirmed

fact-when = When
fact-where = Where
fact-service = Service
fact-takes = Takes
fact-price = Price
fact-with = With
fact-times-in = Times in
facts = What you are booking

times-title = Choose a time
times-lede = { $service } at { $business }
times-weeks = Weeks
times-earlier = Earlier week
times-later = Later week
times-none-title = Nothing free { $day }
times-none = There is no free time in the coming weeks. Please ask { $business } directly.
times-none-until = Nothing is free before { $day }.
times-further = Look further
times-none-day = Another day works: these are the next free times.
times-next = Next free times
times-gone = { $time } is no longer free. Please choose another time.
times-full = As many have booked as the business takes that day or that week, so { $time } cannot be booked. Please choose another day.
times-held-title = A time is held for you
times-held = { $time }, until { $until }. If you choose another time, this one is free for others.
times-held-go-on = Go on with it
times-continue = Continue
times-month = See the whole month
month-title = Choose a day
month-months = Months
month-earlier = Earlier month
month-later = Later month
month-marks = What the marks mean
month-many = free times
month-few = few left
month-zone = All times are in { $zone }.
staff-with = With whom?
staff-anyone = Anyone
morning = Morning
afternoon = Afternoon
evening = Evening

held-until = Held for you until { $until }.
held-meanwhile = Nobody else can take it meanwhile.
held-soon = Less than two minutes left to confirm this time.
held-over = This time is no longer held. You can still confirm it, if nobody else was faster.
held-over-title = This time is no longer held
held-over-advice = It may still be free: confirm it, and you have it unless somebody else was faster.
held-extend = I need 10 more minutes

details-title = Your details
details-gone-title = That time has just been taken
details-gone = { $time } is no longer free. Nothing has been booked, and what you typed is still here.
details-full-title = That day is full
details-full = As many have booked as the business takes that day or that week, so { $time } cannot be booked. Nothing has been booked, and what you typed is still here.
details-nothing-close = There is nothing free close to it.
details-another-day = Look at another day
details-nearest = Nearest free times
details-other-times = Look at other times
details-name = Full name
details-email = E-mail
details-email-hint = Where the business can reach you.
details-phone = Phone
details-phone-hint = Only used when something about your booking changes.
details-note = Anything { $business } should know?
details-note-hint = Please leave out medical or other sensitive details.
details-use = { $business } uses these details to keep your appointment, and for nothing else.
details-confirm = Confirm booking
details-another-time = Choose another time

booked-title = You are booked
booked-lede = { $business } expects you { $day } at { $clock }.
booked-keep-title = Keep this page
booked-keep = Its address is your key to this booking. Bookmark it, and you can come back to it.
booked-cancel-until = You can cancel until { $moment }.
booked-too-late = It is too late to cancel here: please speak to { $business }.
booked-no-move = To move it now: please speak to { $business }.
booked-calendar = Add to calendar
booked-move = Choose another time
booked-cancel = Cancel this booking

over-title = Your visit
over-lede = You were booked with { $business } { $day } at { $clock }.
over-again = Book again

cancelled-title = Your booking is cancelled
cancelled-lede = The time is free again for somebody else. You have nothing more to do.
cancelled-again = Book another time

cancel-title = Cancel your booking
cancel-heading = Cancel this booking?
cancel-lede = The time goes to somebody else straight away. This cannot be undone, but you can book again.
cancel-only-with-waiver = It is too late to cancel, unless you are in hospital or somebody close to you has died. Then it always counts, and costs nothing.
cancel-yes = Yes, cancel it
cancel-no = Keep it
cancel-costs = Cancelling costs
cancel-costs-nothing = Nothing
cancel-costs-later = From { $moment } it costs { $fee }.
cancel-waiver = I am in hospital, or somebody close to me has died
cancel-waiver-hint = Then there is no fee. Nothing is kept but that you ticked this.

move-title = Choose another time
move-back = Your booking
move-lede = { $service } is booked for { $time }. That time stays yours until you choose another.
move-yes = Move the booking
