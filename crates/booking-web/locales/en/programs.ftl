# Keys, calendars and webhooks: what programs of a business work with.

programs-title = Programs
programs-parts = Kinds of access
programs-once = Copy it now. It is not shown again.
programs-used = Last used { $when }
programs-unused = Never used
programs-made = Made { $when }
programs-ended = No longer valid
programs-until = Until { $when }

keys-title = Keys
keys-lede = A key lets a program of yours see or change what you allow here.
keys-none-title = No keys yet
keys-none = Make one when a program asks for it.
keys-new = New key
keys-name = What it is for
keys-scopes = What it may do
keys-scopes-missing = Choose at least one thing that it may do
keys-shown = Your new key
keys-make = Make the key
keys-revoke = Revoke
scope-read-bookings = See bookings
scope-write-bookings = Cancel bookings
scope-read-customers = See who the customers are
scope-manage-keys = Make keys that allow no more than itself
scope-manage-feeds = Make calendar addresses
scope-manage-webhooks = Add webhooks

feeds-title = Calendars
feeds-lede = A secret address at which a calendar program shows your bookings. Whoever knows it sees them.
feeds-none-title = No calendars yet
feeds-none = Make an address and subscribe to it in your calendar program.
feeds-new = New calendar
feeds-whose = Whose bookings
feeds-everybody = Everybody’s
feeds-names = Names of customers
feeds-names-short = First name and initial
feeds-names-initials = Initials
feeds-names-none = None
feeds-shown = The address of your calendar
feeds-make = Make the address
feeds-renew = New address
feeds-revoke = Switch off

hooks-title = Webhooks
hooks-lede = Addresses of your own programs that are called when something happens to a booking. Each call is signed.
hooks-none-title = No webhooks yet
hooks-none = Add the address of a program that wants to know at once.
hooks-new = New webhook
hooks-address = Address
hooks-address-hint = It begins with https:// and can be reached from the internet.
hooks-address-wrong = Enter an address such as https://example.com/bookings
hooks-address-unknown = Check the name in the address: it leads nowhere
hooks-address-private = Enter an address that can be reached from the internet
hooks-too-many = Switch one off first: there are enough webhooks
hooks-events = Called when a booking is
hooks-events-hint = Choose none to hear of everything.
hooks-everything = Everything
hooks-add = Add the webhook
hooks-secret = The secret that signs the calls
hooks-off = Switched off
hooks-switch-off = Switch off
hooks-switch-on = Switch on
hooks-rotate = New secret
hooks-rotate-hint = For a day calls are signed with the old secret too, so that your program can change over.
hooks-ping = Send a test
hooks-calls = Latest calls
hooks-calls-none = It was not called yet.
hooks-again = Call again
hooks-failures = { $count ->
    [one] failed once
   *[other] failed { $count } times
}
hook-confirmed = confirmed
hook-moved = moved
hook-cancelled = cancelled
hook-arrived = attended: the customer has arrived
hook-arrival-undone = not attended after all
hook-completed = completed
hook-no-show = missed by the customer
hook-no-show-undone = not missed after all
hook-ping = test
call-waiting = Waiting
call-sent = Taken
call-dropped = Not sent
call-dead = Given up
