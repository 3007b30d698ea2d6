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

desk-title = Desk
desk-signed-in = Signed in
desk-role = Role
desk-see-page = See the public page
desk-demonstration-title = A demonstration
desk-demonstration = This account and its password are public. Nothing here is anybody’s.
