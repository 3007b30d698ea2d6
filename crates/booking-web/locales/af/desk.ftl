# The desk: what surrounds its pages, today, and the calendar.

desk-title = Toonbank
desk-today = Vandag
desk-calendar = Kalender
desk-see-page = Sien die openbare bladsy
desk-demonstration = Hierdie rekening en sy wagwoord is openbaar. Niks hier behoort aan iemand nie.
desk-done-saved = Gestoor.
desk-done-again = Dit word weer gestuur.
desk-done-merged = Saamgevoeg.
desk-back = Terug
desk-nobody-yet = Word nou bespreek

desk-days = Dae
desk-earlier = Vroeër
desk-later = Later
desk-date = Datum
desk-show = Wys
desk-views = Aansig
desk-day = Dag
desk-week = Week

today-late = Laat
today-late-by = { $time } laat
today-to-finish = Moet afgehandel word
today-there = Nou hier
today-next = Volgende
today-next-none = Niks meer is vir vandag bespreek nie.
today-later = { $count ->
    [one] Nog een later vandag
   *[other] Nog { $count } later vandag
}
today-gaps = Vandag nog vry
today-gaps-none = Daar is nie meer ’n halfuur vandag oor nie.

today-not-sent = { $count ->
    [one] Een boodskap kon nie gestuur word nie
   *[other] { $count } boodskappe kon nie gestuur word nie
}

calendar-whose = Wie se kalender
calendar-everybody = Almal
calendar-nobody-title = Niemand het nog ’n kalender nie
calendar-nobody = Sodra daar personeel is, word hul dae hier gewys.
calendar-closed = gesluit
calendar-break = Pouse
calendar-away = afwesig:
calendar-nothing = Niks bespreek nie
calendar-visits = { $count ->
    [0] niks bespreek nie
    [one] 1 bespreking
   *[other] { $count } besprekings
}

# Where a booking stands.
state-held = Word nou bespreek
state-expired = Nie voltooi nie
state-confirmed = Bevestig
state-arrived = Hier
state-completed = Afgehandel
state-no-show = Het nie gekom nie
state-cancelled-by-customer = Deur die kliënt gekanselleer
state-cancelled-by-business = Deur ons gekanselleer

# Why somebody is away, or something cannot be used.
away-leave = Verlof
away-sick = Siek
away-training = Opleiding
away-closed = Gesluit
away-other = Nie beskikbaar nie

desk-save = Stoor
desk-changed = Iemand anders het dit intussen verander. Kyk wat nou daar staan voordat jy stoor.

booking-notes = Notas
booking-customer-note = Die kliënt het geskryf:
booking-desk-note = Vir personeel
booking-desk-note-hint = Die kliënt sien dit nie.
booking-history = Geskiedenis
booking-facts = Wat afgespreek is
booking-fee = Fooi
booking-phone = Telefoon
booking-email = E-pos
booking-customer = Die kliënt se rekord

# What happened, and by whom.
history-held = Die tyd is gehou
history-extended = Die tyd is langer gehou
history-expired = Die tyd is laat gaan
history-confirmed = Bespreek
history-arrived = Het aangekom
history-arrival-undone = Tog nie hier nie
history-completed = Afgehandel
history-no-show = Het nie gekom nie
history-no-show-undone = Het tog gekom
history-cancelled = Gekanselleer
history-moved = Geskuif van { $from } na { $to }
history-added = Bygevoeg
history-merged = Saamgevoeg met ’n ander rekord
history-changed = Verander
history-noted = Die nota is verander
history-hold = ’n Terughouding is geplaas
history-hold-lifted = Die terughouding is opgehef
history-by = deur { $name }
history-by-customer = deur die kliënt
history-by-staff = deur personeel
history-by-clock = vanself
