# Mail and text messages, and the page that ends reminders. $moment is a "date-and-clock",
# $day a "date-on".

mail-confirmed-subject = You are booked: { $moment }, { $business }
mail-moved-subject = New time: { $moment }, { $business }
mail-moved-title = Your booking has a new time
mail-moved-lede = { $business } now expects you { $day } at { $clock }.
mail-reminder-subject = Reminder: { $moment }, { $business }
mail-reminder-title = Your appointment is near
mail-cancelled-subject = Cancelled: { $moment }, { $business }
mail-cancelled-by-you = As you asked, your appointment { $day } at { $clock } is cancelled.
mail-cancelled-by-business = { $business } had to cancel your appointment { $day } at { $clock }. We are sorry.
mail-cancelled-all-subject = Cancelled: { $count } appointments, { $business }
mail-cancelled-all-by-you = As you asked, your { $count } appointments at { $business } below are cancelled.
mail-cancelled-all-by-business = { $business } had to cancel your { $count } appointments below. We are sorry.
fact-your-time = Your time
mail-see = See or change your booking
# Instead of the service, where its name would tell too much.
mail-appointment = Appointment
mail-no-reminders = No more reminders by e-mail
mail-no-text-messages = No reminders by text message

mail-alarm-remind = We could not remind { $name }
mail-alarm-write = We could not write to { $name }
mail-alarm-lede = Please phone { $name } yourself if the appointment depends on it.
mail-why = Why

mail-reset-subject = Choose a new password
mail-reset-lede = Somebody asked for a new password for your account.
mail-confirm-subject = Confirm your address
mail-confirm-lede = Somebody, most likely you, gave this address for an account.
mail-confirm-action = Confirm this address
mail-invitation-subject = { $business } invites you
mail-invitation-lede = You are invited to work with { $business } here.
mail-invitation-action = Accept the invitation
mail-leave = If you do not know what this is about, leave it: nothing happens.

# As short as it can be: $moment is a short date with the time.
sms-reminder = { $business }: reminder of your appointment, { $moment }. { $url }

unsubscribe-title = Stop the reminders?
unsubscribe-email = { $business } reminds you of your appointments by e-mail. You can stop that here; you are still told when a booking is made, moved or cancelled.
unsubscribe-sms = { $business } reminds you of your appointments by text message. You can stop that here; you are still told when a booking is made, moved or cancelled.
unsubscribe-yes = No more reminders
unsubscribed-title = No more reminders
unsubscribed-email = { $business } sends you no more reminders by e-mail. You are still told when a booking is made, moved or cancelled.
unsubscribed-sms = { $business } sends you no more reminders by text message. You are still told when a booking is made, moved or cancelled.
mail-changed-subject = Your password was changed
mail-changed-lede = The password of your account is another one now, and other sessions were ended. If it was not you, choose another one at once. If it was set through a link in a mail, passkeys were removed, too, and can be added again.
mail-changed-action = Choose a new password
mail-codes-subject = Your second step of signing in was changed
mail-codes-on = A code app is needed beside the password of your account from now on. If it was not you, end the other sessions and choose another password at once.
mail-codes-off = The code app of your account was removed: the password alone lets you in. If it was not you, choose another password at once.
mail-codes-action = See your account
mail-passkey-subject = Your passkeys were changed
mail-passkey-on = A passkey was added to your account: who holds it signs in without your password. If it was not you, remove it, end the other sessions and choose another password at once.
mail-passkey-off = A passkey of your account was removed. If it was not you, end the other sessions and choose another password at once.
