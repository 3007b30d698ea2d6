# What staff does to bookings: making, moving and calling them off, and time off.

change-title = Wat nou?
change-arrived = Het aangekom
change-completed = Afgehandel
change-no-show = Het nie opgedaag nie
change-not-arrived = Tog nie hier nie
change-came = Het tog gekom
change-no-show-undo = Neem “het nie opgedaag nie” terug
change-move = Skuif
change-cancel = Kanselleer
change-repeat = Herhaal
change-not-now = Dit kan nie nou met hierdie bespreking gedoen word nie.
change-meanwhile = Iemand het hierdie bespreking intussen verander. Kyk hoe dit nou staan.

desk-done-booked = Bespreek.
desk-done-told = Aangeteken.
desk-done-moved = Geskuif. Die kliënt word laat weet.
desk-done-cancelled = Gekanselleer. Die kliënt word laat weet.
desk-done-away = Die vrye tyd is ingevoer.
desk-done-back = Die vrye tyd is beëindig.

# How a booking came about.
source-phone = Per telefoon bespreek
source-walk-in = Ingestap
source-online = Aanlyn bespreek
booking-source = Hoe dit gekom het
booking-cancel-reason = Rede vir kansellasie

desk-move-title = Skuif die bespreking
desk-move-from = { $name } is bespreek vir { $time }.
desk-move-yes = Skuif na hierdie tyd
desk-with = By
desk-anyone = Enigiemand
desk-gone = { $time } is so pas geneem. Kies ’n ander tyd.
desk-full = Die dag van { $time } is vol: soveel het bespreek as wat daardie dag of week mag. Kies ’n ander dag.
desk-no-times = Geen tyd is { $day } vry nie.
desk-no-times-at-all = Geen tyd is vry so ver vooruit as wat bespreek kan word nie.
desk-soonest = Volgende vrye tye

desk-cancel-title = Kanselleer die bespreking
desk-cancel-of = { $name }, { $time }
desk-cancel-whose = Wie kanselleer?
desk-cancel-customer = Die kliënt
desk-cancel-customer-fee = Dit kos hulle nou { $fee }.
desk-cancel-customer-free = Dit kos hulle nou niks.
desk-cancel-business = Ons
desk-cancel-business-hint = Dit kos die kliënt niks.
desk-cancel-whose-missing = Kies wie kanselleer
desk-cancel-waiver = Hospitaal of sterfgeval: geen fooi
desk-cancel-reason = Rede
desk-cancel-reason-hint = Die kliënt sien dit nie.
desk-cancel-rest = { $count ->
    [one] Ook die besoek van hierdie reeks wat daarna kom
   *[other] Ook die { $count } besoeke van hierdie reeks wat daarna kom
}
desk-cancel-yes = Kanselleer dit
desk-cancel-no = Behou dit

book-title = Nuwe bespreking
book-service = Diens
book-show = Wys tye
book-who = Wie kom?
book-search = Naam, nommer of e-pos van ’n kliënt
book-find = Soek
book-found = Gevind
book-found-none = Niemand is gevind nie.
book-new = Iemand nuuts
book-new-hint = Sonder ’n e-posadres word niemand geskryf nie.
book-guest-unknown = Daardie kliënt is nie meer daar nie. Soek weer.
book-note = Wat hulle wil hê ons moet weet
book-told = Hulle is gesê waarvoor hul besonderhede gebruik word
book-told-hint = Wat om vir hulle te sê: die kennisgewing van hierdie onderneming
book-yes = Bespreek

walk-in-title = Ingestap
walk-in-next = Wie help hulle?
walk-in-now = nou
walk-in-none = Niemand kan hulle vandag help nie.
walk-in-gone = Dit het intussen verander. Kyk wie nou vry is.
walk-in-next-missing = Kies wie hulle help
walk-in-yes = Hulle is hier

time-off-title = Vrye tyd
time-off-new = Voer vrye tyd in
time-off-who = Wie
time-off-why = Hoekom
time-off-from = Eerste dag
time-off-opens = Van, op die eerste dag
time-off-until = Laaste dag
time-off-closes = Tot, op die laaste dag
time-off-whole = Leeg beteken die hele dag.
time-off-look = Kyk wat dit tref
time-off-staff-missing = Kies wie weg is
time-off-days = Gee dae en tye in volgorde wat nog nie verby is nie
time-off-ahead = Ingevoer
time-off-ahead-none = Geen vrye tyd is ingevoer nie.
time-off-span = { $from } tot { $until }
time-off-end = Beëindig dit
time-off-check = Is dit reg?
time-off-hits = { $count ->
    [0] Dit tref geen bespreking nie.
    [one] Dit tref een bespreking. Sê wat daarvan word.
   *[other] Dit tref { $count } besprekings. Sê wat van elkeen word.
}
time-off-at-once = Alles word op een slag gedoen wanneer jy bevestig; tot dan het niks verander nie.
time-off-stays = Dit bly
time-off-move = Skuif na { $time }
time-off-cancel = Kanselleer dit
time-off-undecided = Iets is intussen bespreek of verander. Niks is nog gedoen nie: kyk weer.
time-off-gone = ’n Tyd om na te skuif is so pas geneem. Niks is nog gedoen nie: kies weer.
time-off-gone-one = Daardie tyd is so pas geneem
time-off-again = Te veel word nou bespreek. Niks is gedoen nie: probeer weer.
time-off-yes = Voer die vrye tyd in
time-off-meanwhile = Intussen bespreek of verander
