# From choosing a time to a booking, and its end.

steps = Stappe om te bespreek
step-time = Tyd
step-details = Jou besonderhede
step-confirmed = Bevestig

fact-when = Wanneer
fact-where = Waar
fact-service = Diens
fact-takes = Duur
fact-price = Prys
fact-with = By
fact-times-in = Tye in
facts = Wat jy bespreek

times-title = Kies ’n tyd
times-lede = { $service } by { $business }
times-weeks = Weke
times-earlier = Vroeër week
times-later = Later week
times-none-title = Niks vry { $day } nie
times-none = Daar is geen vry tyd in die komende weke nie. Vra asseblief direk by { $business }.
times-none-until = Niks is voor { $day } vry nie.
times-further = Kyk verder
times-none-day = ’n Ander dag werk: dit is die volgende vry tye.
times-next = Volgende vry tye
times-gone = { $time } is nie meer vry nie. Kies asseblief ’n ander tyd.
times-full = Soveel mense het bespreek as wat die besigheid daardie dag of week neem, en daarom kan { $time } nie bespreek word nie. Kies asseblief ’n ander dag.
times-held-title = ’n Tyd word vir jou gehou
times-held = { $time }, tot { $until }. As jy ’n ander tyd kies, is hierdie een vry vir ander.
times-held-go-on = Gaan daarmee voort
times-continue = Gaan voort
times-month = Sien die hele maand
month-title = Kies ’n dag
month-months = Maande
month-earlier = Vroeër maand
month-later = Later maand
month-marks = Wat die merke beteken
month-many = vry tye
month-few = min oor
month-zone = Alle tye is in { $zone }.
staff-with = By wie?
staff-anyone = Enigiemand
morning = Oggend
afternoon = Middag
evening = Aand

held-until = Word vir jou gehou tot { $until }.
held-meanwhile = Niemand anders kan dit intussen neem nie.
held-soon = Minder as twee minute oor om hierdie tyd te bevestig.
held-over = Hierdie tyd word nie meer gehou nie. Jy kan dit nog bevestig, as niemand anders vinniger was nie.
held-over-title = Hierdie tyd word nie meer gehou nie
held-over-advice = Dit is dalk nog vry: bevestig dit, en dit is joune tensy iemand anders vinniger was.
held-extend = Ek het nog 10 minute nodig

details-title = Jou besonderhede
details-gone-title = Daardie tyd is pas geneem
details-gone = { $time } is nie meer vry nie. Niks is bespreek nie, en wat jy getik het, is nog hier.
details-full-title = Daardie dag is vol
details-full = Soveel mense het bespreek as wat die besigheid daardie dag of week neem, en daarom kan { $time } nie bespreek word nie. Niks is bespreek nie, en wat jy getik het, is nog hier.
details-nothing-close = Daar is niks vry naby dit nie.
details-another-day = Kyk na ’n ander dag
details-nearest = Naaste vry tye
details-other-times = Kyk na ander tye
details-name = Volle naam
details-email = E-pos
details-email-hint = Waar die besigheid jou kan bereik.
details-phone = Telefoon
details-phone-hint = Word net gebruik wanneer iets aan jou bespreking verander.
details-note = Is daar iets wat { $business } moet weet?
details-note-hint = Laat asseblief mediese of ander sensitiewe besonderhede weg.
details-use = { $business } gebruik hierdie besonderhede om jou afspraak na te kom, en vir niks anders nie.
details-confirm = Bevestig bespreking
details-another-time = Kies ’n ander tyd

booked-title = Jou bespreking is gemaak
booked-lede = { $business } verwag jou { $day } om { $clock }.
booked-keep-title = Hou hierdie bladsy
booked-keep = Sy adres is jou sleutel tot hierdie bespreking. Boekmerk dit, dan kan jy daarna terugkom.
booked-cancel-until = Jy kan kanselleer tot { $moment }.
booked-too-late = Dit is te laat om hier te kanselleer: praat asseblief met { $business }.
booked-no-move = Om dit nou te skuif: praat asseblief met { $business }.
booked-calendar = Voeg by kalender
booked-move = Kies ’n ander tyd
booked-cancel = Kanselleer hierdie bespreking

over-title = Jou besoek
over-lede = Jy was by { $business } bespreek { $day } om { $clock }.
over-again = Bespreek weer

cancelled-title = Jou bespreking is gekanselleer
cancelled-lede = Die tyd is weer vry vir iemand anders. Jy hoef niks meer te doen nie.
cancelled-again = Bespreek ’n ander tyd

cancel-title = Kanselleer jou bespreking
cancel-heading = Kanselleer hierdie bespreking?
cancel-lede = Die tyd gaan dadelik na iemand anders. Dit kan nie ongedaan gemaak word nie, maar jy kan weer bespreek.
cancel-only-with-waiver = Dit is te laat om te kanselleer, behalwe as jy in die hospitaal is of iemand na aan jou dood is. Dan geld dit altyd, en kos dit niks.
cancel-yes = Ja, kanselleer dit
cancel-no = Hou dit
cancel-costs = Kansellasie kos
cancel-costs-nothing = Niks
cancel-costs-later = Vanaf { $moment } kos dit { $fee }.
cancel-waiver = Ek is in die hospitaal, of iemand na aan my is dood
cancel-waiver-hint = Dan is daar geen fooi nie. Niks word gehou nie, behalwe dat jy dit gemerk het.

move-title = Kies ’n ander tyd
move-back = Jou bespreking
move-lede = { $service } is bespreek vir { $time }. Daardie tyd bly joune totdat jy ’n ander kies.
move-yes = Skuif die bespreking
