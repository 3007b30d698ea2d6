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
times-none-day = Another day works: these are the next free times.
times-next = Next free times
times-continue = Continue
morning = Morning
afternoon = Afternoon
evening = Evening

details-title = Your details
details-gone-title = That time has just been taken
details-gone = { $time } is no longer free. Nothing has been booked, and what you typed is still here.
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
booked-calendar = Add to calendar
booked-cancel = Cancel this booking

cancelled-title = Your booking is cancelled
cancelled-lede = The time is free again for somebody else. You have nothing more to do.
cancelled-again = Book another time

cancel-title = Cancel your booking
cancel-heading = Cancel this booking?
cancel-lede = The time goes to somebody else straight away. This cannot be undone, but you can book again.
cancel-yes = Yes, cancel it
cancel-no = Keep it
