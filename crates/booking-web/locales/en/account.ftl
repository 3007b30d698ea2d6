# Signing in, the desk's frame, and what secures an account.

role-owner = Owner
role-manager = Manager
role-staff = Staff
role-front-desk = Front desk

field-password-missing = Enter your password
field-password-short = Choose a password of at least { $min } characters; a short sentence is good
field-password-long = Choose a password of at most { $max } characters
field-password-guessable = Choose a password that is harder to guess; this one is tried first

account-email = E-mail
account-password = Password
account-for-businesses = For businesses

sign-in-title = Sign in
sign-in-lede = To the desk of your business.
sign-in-button = Sign in
sign-in-refused-title = That did not work
sign-in-refused = The e-mail address or the password is not right. If you have just signed up, follow the link in our mail first.
sign-in-later-title = Please wait a little
sign-in-later = Too many attempts have failed. Try again in { $wait }. A browser in which you have signed in before does not wait for strangers.
sign-out-button = Sign out

places-title = Your businesses
places-empty-title = You do not belong to a business
places-empty = Whoever runs it can invite you by mail.
places-open = Open the desk


field-code-wrong = This code is not right, or was used before; enter the newest one
field-password-wrong = This password is not right
field-password-of-account = You have an account with this address already; enter its password
field-business-missing = Enter what your business is called
field-address-missing = Enter where your customers come to
field-kind-missing = Choose what is closest to your business
field-slug-shape = Use small letters, digits and single hyphens, beginning with a letter
field-slug-taken = This address is taken; { $suggestion } is free

continue-button = Continue
step-later = Too many attempts have failed. Try again in { $wait }.
code-title = Enter your code
code-lede = Open your code app and enter the six digits for Booking.
code-label = Code
code-hint = If you lost your phone, enter one of your recovery codes.
password-again-title = Your password, please
password-again-lede = What comes next matters, so we ask once more who you are.

sign-in-forgot = Forgot your password?
sign-in-new = New here?
forgot-title = Forgot your password?
forgot-lede = We send you a link to choose another one.
forgot-button = Send the link
forgot-sent-title = Look into your mail
forgot-sent = If there is an account with this address, a link is on its way. It works for 30 minutes.
new-password-title = Choose a new password
new-password-lede = You will be signed out everywhere else.
new-password-label = New password
new-password-button = Set the password
password-hint = At least 12 characters. A short sentence is easy to remember.
password-show = Show the password
password-strength-short = Too short: it takes at least 12 characters
password-strength-weak = Long enough, but easy to guess: one word, or much that repeats or follows in order
password-strength-good = Good, unless it is a well-known word or name
password-strength-strong = Very good
link-over-title = This link does not work any more
link-over = It was used, or it is too old. Ask for a new one where you got it.

start-title = Start your booking page
start-lede = In a few minutes you have a page that can be booked. You can change everything later.
start-business = Name of your business
start-address = Address
start-address-hint = Where your customers come to.
start-slug = Address of your page
start-slug-hint = Such as karoo-cuts. If you leave it out, we make one of the name.
start-kind = What kind of business is it?
start-name = Your name
start-email-hint = With it you sign in, and there we write.
start-button = Make my page
start-privacy = Nobody else gets your details. Your page is in no list until you have followed the link in our mail.
kind-hair = Hair and barber
kind-beauty = Beauty and massage
kind-health = Health
kind-lessons = Lessons and coaching
kind-other = Something else
service-cut = Cut
service-cut-and-wash = Wash and cut
service-colour = Colour
service-manicure = Manicure
service-facial = Facial
service-massage = Massage
service-first-visit = First visit
service-follow-up = Follow-up
service-trial-lesson = Trial lesson
service-lesson = Lesson
service-appointment = Appointment
service-long-appointment = Long appointment
confirm-title = Confirm your address
confirm-lede = Enter your password, and your page is listed.
confirm-hint = If you had an account with this address before, the password of that one.
confirm-button = Confirm
confirm-not-you = If you began nothing here, close this page; nothing happens.

account-title = Your account
account-name = Name
account-change = Change
account-codes = Code app
account-codes-on = On
account-codes-off = Off
account-unconfirmed-title = Confirm your address
account-unconfirmed = We sent a link to { $email }. Until you follow it, your page is in no list, and you can sign in from this browser only.
account-confirm-again = Send the link again
account-sessions = Where you are signed in
account-this = (here)
account-seen = Last used at { $when }
account-end = Sign out
account-end-others = Sign out everywhere else

codes-title = Code app
codes-lede = With a code app on your phone, your password alone lets nobody in.
codes-picture = A picture for the camera of your code app
codes-by-hand = Or type this into the app:
codes-first = The six digits that the app shows now.
codes-button = Turn it on
codes-works = It works. From now on we ask for a code when you sign in.
codes-recovery-title = Recovery codes
codes-recovery = Keep these where nobody else finds them. Each lets you in once when your phone is lost. They are shown only now.
codes-kept = I have kept them
codes-on = Your code app is on. Without it, only your password protects your account.
codes-remove = Turn it off

passkeys-title = Passkeys
passkeys-lede = With a passkey you sign in as you unlock your phone or computer: with your finger, your face or its PIN. There is nothing to type, and nothing that a false page could get from you.
passkeys-yours = Yours
passkeys-added = Added at { $when }
passkeys-remove = Remove
passkeys-name = Name
passkeys-name-hint = So that you know it again, such as the device that it is on.
passkeys-add = Add a passkey
passkeys-without = To add a passkey, a script of this page has to run, in a browser that knows passkeys. Everything else here works without.
passkeys-failed = Nothing came of it: it was called off, took too long, or this device has no passkey for it. You can try again.
passkeys-refused-title = That did not work
passkeys-refused = This passkey was not added. Try again on this page; the one that your device kept can be removed there.
passkeys-enough = You have as many passkeys as can be. Remove one first.
passkeys-unconfirmed = Follow the link in our mail to you first; then you can add passkeys.
passkeys-password = Your password still lets you in. A passkey stands for the password and the code of your code app.
account-passkeys = { $count ->
    [0] None
    [one] One
   *[other] { $count }
}
sign-in-passkey = Sign in with a passkey
sign-in-passkey-refused = This passkey was not accepted. Try again, or sign in with your password.
sign-in-passkey-without = A passkey needs a script; your password works without.

invitation-title = { $business } invites you
invitation-lede = This invitation is for { $email }.
invitation-password-hint = At least 12 characters; or the password of the account that you have already.
invitation-button = Accept
members-title = People
members-you = (you)
members-role-of = Role of { $name }
members-change = Change role
members-remove = Remove
members-invited = Invited, not here yet
members-withdraw = Take back
members-invite-title = Invite somebody
members-invite-hint = We send a link that works for seven days.
members-invite = Invite
members-last-owner = A business always has an owner; make somebody else an owner first
members-confirm-first = Follow the link in our mail to you first; then you can invite others

welcome-title = Your page is ready
welcome-lede = { $business } can be booked now. Try it yourself.
welcome-unconfirmed = Follow the link in our mail, and your page is listed for everybody.
welcome-next = What comes next
welcome-members = Invite your people
welcome-members-about = Colleagues with calendars of their own, or a front desk for all.
welcome-offer = Look at services and hours
welcome-offer-about = What you begin with is a suggestion.
welcome-passkey = Sign in with your finger or face
welcome-passkey-about = A passkey on your phone or computer: nothing to type, and nothing a false page could get.
welcome-codes = Secure your account
welcome-codes-about = A code app keeps strangers out who know your password.
welcome-embed-title = On your own website
welcome-embed-link = A link, which works everywhere:
welcome-embed-frame = Or a frame with the next free times:
welcome-embed-words = Book a time
desk-welcome = First steps, and your website
embed-title = Next free times at { $business }
embed-none = Nothing is free in the coming days.
embed-all = See all times
desk-role = Role
