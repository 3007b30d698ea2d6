# Mail and text messages, and the page that ends reminders. $moment is a "date-and-clock",
# $day a "date-on".

mail-confirmed-subject = Jou bespreking is gemaak: { $moment }, { $business }
mail-moved-subject = Nuwe tyd: { $moment }, { $business }
mail-moved-title = Jou bespreking het ’n nuwe tyd
mail-moved-lede = { $business } verwag jou nou { $day } om { $clock }.
mail-reminder-subject = Herinnering: { $moment }, { $business }
mail-reminder-title = Jou afspraak is naby
mail-cancelled-subject = Gekanselleer: { $moment }, { $business }
mail-cancelled-by-you = Soos jy gevra het, is jou afspraak { $day } om { $clock } gekanselleer.
mail-cancelled-by-business = { $business } moes jou afspraak { $day } om { $clock } kanselleer. Ons is jammer.
mail-cancelled-all-subject = Gekanselleer: { $count } afsprake, { $business }
mail-cancelled-all-by-you = Soos jy gevra het, is jou { $count } afsprake hieronder by { $business } gekanselleer.
mail-cancelled-all-by-business = { $business } moes jou { $count } afsprake hieronder kanselleer. Ons is jammer.
fact-your-time = Jou tyd
mail-see = Sien of verander jou bespreking
# Instead of the service, where its name would tell too much.
mail-appointment = Afspraak
mail-no-reminders = Geen herinneringe meer per e-pos nie
mail-no-text-messages = Geen herinneringe per SMS nie

mail-alarm-remind = Ons kon { $name } nie herinner nie
mail-alarm-write = Ons kon nie aan { $name } skryf nie
mail-alarm-lede = Bel { $name } asseblief self as die afspraak daarvan afhang.
mail-why = Waarom

mail-reset-subject = Kies ’n nuwe wagwoord
mail-reset-lede = Iemand het ’n nuwe wagwoord vir jou rekening gevra.
mail-confirm-subject = Bevestig jou adres
mail-confirm-lede = Iemand, heel moontlik jy, het hierdie adres vir ’n rekening gegee.
mail-confirm-action = Bevestig hierdie adres
mail-invitation-subject = { $business } nooi jou uit
mail-invitation-lede = Jy word uitgenooi om hier saam met { $business } te werk.
mail-invitation-action = Aanvaar die uitnodiging
mail-leave = As jy nie weet waaroor dit gaan nie, laat dit net so: niks gebeur nie.

# As short as it can be: $moment is a short date with the time.
sms-reminder = { $business }: herinnering aan jou afspraak, { $moment }. { $url }

unsubscribe-title = Stop die herinneringe?
unsubscribe-email = { $business } herinner jou per e-pos aan jou afsprake. Jy kan dit hier stop; jy hoor steeds wanneer ’n bespreking gemaak, geskuif of gekanselleer word.
unsubscribe-sms = { $business } herinner jou per SMS aan jou afsprake. Jy kan dit hier stop; jy hoor steeds wanneer ’n bespreking gemaak, geskuif of gekanselleer word.
unsubscribe-yes = Geen herinneringe meer nie
unsubscribed-title = Geen herinneringe meer nie
unsubscribed-email = { $business } stuur jou geen herinneringe meer per e-pos nie. Jy hoor steeds wanneer ’n bespreking gemaak, geskuif of gekanselleer word.
unsubscribed-sms = { $business } stuur jou geen herinneringe meer per SMS nie. Jy hoor steeds wanneer ’n bespreking gemaak, geskuif of gekanselleer word.
mail-changed-subject = Jou wagwoord is verander
mail-changed-lede = Die wagwoord van jou rekening is nou ’n ander een, en ander sessies is beëindig. As dit nie jy was nie, kies dadelik ’n ander een. As dit deur ’n skakel in ’n e-pos gestel is, is wagsleutels ook verwyder, en kan weer bygevoeg word.
mail-changed-action = Kies ’n nuwe wagwoord
mail-codes-subject = U tweede stap van aanmelding is verander
mail-codes-on = ’n Kode-app is van nou af saam met die wagwoord van u rekening nodig. As dit nie u was nie, beëindig die ander sessies en kies dadelik ’n ander wagwoord.
mail-codes-off = Die kode-app van u rekening is verwyder: die wagwoord alleen laat u in. As dit nie u was nie, kies dadelik ’n ander wagwoord.
mail-codes-action = Sien u rekening
mail-passkey-subject = U toegangsleutels is verander
mail-passkey-on = ’n Toegangsleutel is by u rekening gevoeg: wie dit het, meld sonder u wagwoord aan. As dit nie u was nie, verwyder dit, beëindig die ander sessies en kies dadelik ’n ander wagwoord.
mail-passkey-off = ’n Toegangsleutel van u rekening is verwyder. As dit nie u was nie, beëindig die ander sessies en kies dadelik ’n ander wagwoord.
