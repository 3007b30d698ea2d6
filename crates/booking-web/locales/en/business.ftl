# The first page, and the page of a business.

home-title = Book a time that suits you
home-heading = Book a time that suits you.
home-lede = Choose a business, pick a free time, and you are done. It takes less than a minute, and you can cancel from a link of your own.
home-open = Open for bookings
home-empty-title = No business is open for bookings yet
home-empty = As soon as the first one publishes its services, you will find it here.
home-see-services = See services
home-all = All businesses

business-description = Book a time at { $business }.
business-what = What would you like to book?
business-empty-title = Nothing can be booked here yet
business-empty = { $business } has not published any services. Please look in again later.
business-about = About { $business }
business-zone = All times are in { $zone }.
