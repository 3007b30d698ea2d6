# What a business offers: services, staff, opening hours.

services-title = Services
services-new = New service
services-none-title = Nothing can be booked yet
services-none = Add the first service, and say who gives it.
services-archived = No longer offered
services-ahead = { $count ->
    [0] nothing to come
    [one] one booking to come
   *[other] { $count } bookings to come
}

service-name = Name
service-about = Description
service-about-hint = What customers read before they choose.
service-price = Price in rand
service-duration = Duration in minutes
service-givers = Who gives it
service-givers-none = There is no staff yet.
service-times = Times
service-step = A time every so many minutes
service-step-hint = With 15, customers see 09:00, 09:15, 09:30.
service-before = Minutes to prepare before it
service-after = Minutes to clear up after it
service-notice = Least notice in minutes
service-notice-hint = Nobody can book at shorter notice than this.
service-horizon = Can be booked so many days ahead
limits-title = How many at most
limits-hint = Left empty, as many as there is time for. A time that somebody holds counts, too. Weeks begin on Monday.
limits-staff-hint = Bookings with this person, whatever the service. Left empty, as many as there is time for. Weeks begin on Monday.
limits-day = On one day
limits-week = In one week
service-kept = { $count ->
    [one] One booking to come keeps its duration and price.
   *[other] { $count } bookings to come keep their duration and price.
}
service-archive-title = Offer it no longer?
service-archive-hint = Nobody can book it any more. What is booked takes place.
service-archive = Offer no longer
service-offer-again = Offer it again

staff-title = Staff
staff-new = New member of staff
staff-none-title = Nobody has a calendar yet
staff-none = Add whoever gives your services.
staff-left = No longer here
staff-hours = Opening hours
staff-place = Place
staff-place-missing = Choose a place
staff-gives = Gives these services
staff-gives-none = There are no services yet.
staff-leave-title = Has left?
staff-leave-hint = Nobody can book them any more. What is booked with them stays in the calendar, to be moved or cancelled.
staff-leave = Has left
staff-back = Is back

hours-title = Opening hours
hours-lede = When { $name } can be booked. Leave a day empty where it is free.
hours-opens = { $day }, opens
hours-closes = { $day }, closes
hours-opens-again = { $day }, opens again after the break
hours-closes-again = { $day }, closes after the break
hours-to = to
hours-wrong = { $day }: enter both times, the later one after the earlier
hours-differ = Days that differ
hours-differ-none = No day that differs is planned.
hours-differ-closed = closed
hours-differ-add = Add a day
hours-differ-date = Date
hours-differ-opens = Opens
hours-differ-closes = Closes
hours-differ-hint = Without times it is closed all day.
hours-differ-remove = Remove
hours-differ-wrong = Enter a date, and both times or none
hours-differ-is-closed = This day is closed. Make it like every other first, then enter its hours

rooms-title = Rooms
rooms-lede = Rooms and equipment that services need. Of several of a kind, any that is free will do.
rooms-none-title = No rooms yet
rooms-none = You need them only where people share something that can be taken.
rooms-new = New kind of room or equipment
rooms-name-hint = Such as Treatment room, or Laser.
rooms-more = One more { $kind }
rooms-add = Add
rooms-unused = Out of use
rooms-unuse = Take out of use
rooms-use = Use again
service-needs = What it needs
service-need = How many: { $kind }
service-capacity = How many can come to one visit
service-capacity-hint = More than one makes it a class.
