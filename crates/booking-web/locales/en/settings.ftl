# What a business says of itself, and its terms.

settings-title = Settings
settings-public = What customers see
settings-name = Name of the business
settings-place-hint = What the place is called, such as the name of the street or the centre.
settings-address = Address
settings-zone = Time zone
settings-zone-hint = Such as Africa/Johannesburg. All opening hours are in it.
settings-zone-unknown = Enter a time zone such as Africa/Johannesburg
settings-language = Language
settings-language-hint = For customers who want no other one.
settings-terms = Cancelling
settings-terms-hint = For what is booked from now on. What is booked keeps its terms.
settings-limit = Customers can cancel until so many minutes before
settings-limit-hint = After that they have to speak to you.
settings-hours = With less notice than so many hours
settings-hours-later = And with less than so many hours
settings-percent = it costs so many percent of the price
settings-cap = But never more than so many rand
settings-terms-kept = Terms that this form cannot show are kept as they are: { $count } more
settings-law = Nobody pays when somebody is in hospital or has died: the law says so.

messages-title = Messages
messages-waiting = { $count ->
    [0] none waiting
    [one] 1 waiting
   *[other] { $count } waiting
}
messages-sent = { $count ->
    [0] none sent in the last week
   *[other] { $count } sent in the last week
}
messages-dead = { $count ->
    [0] none given up
    [one] 1 could not be sent
   *[other] { $count } could not be sent
}
messages-none-title = Everything was sent
messages-none = What cannot be sent is shown here, with the reason.
messages-not-sent = Could not be sent
messages-all-again = Send all again
messages-again = Send again
messages-late = Too late to send. Please phone them.
messages-reason = Reason:
message-confirmed = Confirmation
message-cancelled = Cancellation
message-rescheduled = New time
message-reminder = Reminder
message-alarm = Warning to you
message-other = Message
message-by-email = E-mail
message-by-sms = Text message
message-by-webhook = To a connected program
message-by-itself = Within the system
