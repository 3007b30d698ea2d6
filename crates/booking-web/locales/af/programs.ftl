# Sleutels, kalenders en webhake: waarmee programme van ’n besigheid werk.

programs-title = Programme
programs-parts = Soorte toegang
programs-once = Kopieer dit nou. Dit word nie weer gewys nie.
programs-used = Laas gebruik { $when }
programs-unused = Nog nooit gebruik nie
programs-made = Gemaak { $when }
programs-ended = Nie meer geldig nie
programs-until = Tot { $when }

keys-title = Sleutels
keys-lede = Met ’n sleutel kan ’n program van u sien of verander wat u hier toelaat.
keys-none-title = Nog geen sleutels nie
keys-none = Maak een wanneer ’n program daarvoor vra.
keys-new = Nuwe sleutel
keys-name = Waarvoor dit is
keys-scopes = Wat dit mag doen
keys-scopes-missing = Kies ten minste een ding wat dit mag doen
keys-shown = U nuwe sleutel
keys-make = Maak die sleutel
keys-revoke = Trek terug
scope-read-bookings = Besprekings sien
scope-write-bookings = Besprekings kanselleer
scope-read-customers = Sien wie die kliënte is
scope-manage-keys = Sleutels maak wat nie meer as dit self toelaat nie
scope-manage-feeds = Kalenderadresse maak
scope-manage-webhooks = Webhake byvoeg

feeds-title = Kalenders
feeds-lede = ’n Geheime adres waarmee ’n kalenderprogram u besprekings wys. Wie dit ken, sien hulle.
feeds-none-title = Nog geen kalenders nie
feeds-none = Maak ’n adres en teken in u kalenderprogram daarop in.
feeds-new = Nuwe kalender
feeds-whose = Wie se besprekings
feeds-everybody = Almal s’n
feeds-names = Name van kliënte
feeds-names-short = Voornaam en voorletter
feeds-names-initials = Voorletters
feeds-names-none = Geen
feeds-shown = Die adres van u kalender
feeds-make = Maak die adres
feeds-renew = Nuwe adres
feeds-revoke = Skakel af

hooks-title = Webhake
hooks-lede = Adresse van u eie programme wat geroep word wanneer iets met ’n bespreking gebeur. Elke oproep is geteken.
hooks-none-title = Nog geen webhake nie
hooks-none = Voeg die adres van ’n program by wat dadelik wil weet.
hooks-new = Nuwe webhaak
hooks-address = Adres
hooks-address-hint = Dit begin met https:// en kan van die internet af bereik word.
hooks-address-wrong = Gee ’n adres soos https://example.com/bookings
hooks-address-unknown = Kyk na die naam in die adres: dit lei nêrens heen nie
hooks-address-private = Gee ’n adres wat van die internet af bereik kan word
hooks-too-many = Skakel eers een af: daar is genoeg webhake
hooks-events = Word geroep wanneer ’n bespreking
hooks-events-hint = Kies niks om van alles te hoor.
hooks-everything = Alles
hooks-add = Voeg die webhaak by
hooks-secret = Die geheim wat die oproepe teken
hooks-off = Afgeskakel
hooks-switch-off = Skakel af
hooks-switch-on = Skakel aan
hooks-rotate = Nuwe geheim
hooks-rotate-hint = Vir ’n dag word oproepe ook met die ou geheim geteken, sodat u program kan oorskakel.
hooks-ping = Stuur ’n toets
hooks-calls = Jongste oproepe
hooks-calls-none = Dit is nog nie geroep nie.
hooks-again = Roep weer
hooks-failures = { $count ->
    [one] het een keer misluk
   *[other] het { $count } keer misluk
}
hook-confirmed = bevestig is
hook-moved = verskuif is
hook-cancelled = gekanselleer is
hook-arrived = begin het: die kliënt is hier
hook-arrival-undone = tog nie begin het nie
hook-completed = afgehandel is
hook-no-show = deur die kliënt gemis is
hook-no-show-undone = tog nie gemis is nie
hook-ping = toets
call-waiting = Wag
call-sent = Ontvang
call-dropped = Nie gestuur nie
call-dead = Opgegee
