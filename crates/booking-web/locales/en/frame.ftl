# What surrounds every page.

site-name = Booking
frame-description = Book a time with a business near you, in under a minute.
frame-skip = Skip to content
frame-no-account = No account needed
frame-privacy = Your details go to the business you book with, and to nobody else.
frame-release = Release
frame-languages = Language
frame-here = Where you are

# Before the title of a page on which something must be corrected.
frame-error = Error:
problems-title = { $count ->
    [one] One thing needs your attention
   *[other] { $count } things need your attention
}
optional = (optional)
