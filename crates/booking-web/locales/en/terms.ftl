# Messages, holidays and privacy, as a business sets them.

settings-more = More settings
reminders-title = Messages and reminders
reminders-about = Who messages are from, when customers are reminded, quiet hours
reminders-from = Who messages are from
reminders-sender = Name of the sender
reminders-sender-hint = The name of the business where it is left empty.
reminders-email = Address for answers
reminders-email-hint = Customers’ answers go there, and word of messages that could not be sent.
reminders-when = When customers are reminded
reminders-by-email = By e-mail
reminders-by-sms = By text message
reminders-none = Not at all
reminders-before = { $time } before
reminders-days = { $days ->
    [one] 1 day
   *[other] { $days } days
}
reminders-quiet = Between these times nobody is reminded. The same time twice means at any time.
reminders-quiet-from = Quiet from
reminders-quiet-until = until
reminders-time-wrong = Enter a time such as 20:00
reminders-hides = Do not name the service
reminders-hides-hint = Messages say “appointment” instead. Choose this where the name of a service tells too much.

holidays-title = Public holidays
holidays-about = Days on which you are closed
holidays-kept = You are closed on public holidays, but for those below that say open.
holidays-not-kept = You are open on public holidays, but for those below that say closed.
holidays-ignore = Be open on public holidays
holidays-keep = Be closed on public holidays
holidays-closed = Closed
holidays-open = Open
holidays-be-open = Be open
holidays-be-closed = Be closed
holidays-forget = Take away
holidays-new = Another day
holidays-date = Date
holidays-date-wrong = Choose a date within the next year
holidays-name = What it is
holidays-name-hint = Such as stocktaking or a training day.
holidays-add = Be closed on that day
holiday-new-year = New Year’s Day
holiday-human-rights = Human Rights Day
holiday-good-friday = Good Friday
holiday-family = Family Day
holiday-freedom = Freedom Day
holiday-workers = Workers’ Day
holiday-youth = Youth Day
holiday-women = National Women’s Day
holiday-heritage = Heritage Day
holiday-reconciliation = Day of Reconciliation
holiday-christmas = Christmas Day
holiday-goodwill = Day of Goodwill

responsible-title = Who answers for privacy
responsible-about = Names in your privacy notice, and how long you keep what
responsible-lede = This stands in the notice that customers see before they book.
responsible-who = The business
responsible-name = Legal name
responsible-address = Address
responsible-officer-title = The information officer
responsible-officer = Name
responsible-officer-hint = The head of the business, where nobody else was named to the Information Regulator.
responsible-officer-email = E-mail
responsible-officer-phone = Telephone
responsible-recipients = Who else sees customers’ data
responsible-recipients-hint = Such as a bookkeeper or a medical scheme. Nobody, where it is left empty.
responsible-keep = How long it is kept
responsible-contact-days = Days after the last visit for names and addresses
responsible-note-days = Days after a visit for notes
responsible-days-hint = { $days } where it is left empty. Records that a law keeps longer are kept by that law.
