# What a business offers: services, staff, opening hours.

services-title = Dienste
services-new = Nuwe diens
services-none-title = Niks kan nog bespreek word nie
services-none = Voeg die eerste diens by, en sê wie dit lewer.
services-archived = Word nie meer aangebied nie
services-ahead = { $count ->
    [0] niks wat kom nie
    [one] een bespreking wat kom
   *[other] { $count } besprekings wat kom
}

service-name = Naam
service-about = Beskrywing
service-about-hint = Wat kliënte lees voordat hulle kies.
service-price = Prys in rand
service-duration = Duur in minute
service-givers = Wie dit lewer
service-givers-none = Daar is nog geen personeel nie.
service-times = Tye
service-step = ’n Tyd elke soveel minute
service-step-hint = Met 15 sien kliënte 09:00, 09:15, 09:30.
service-before = Minute om vooraf voor te berei
service-after = Minute om daarna op te ruim
service-notice = Minste kennis in minute
service-notice-hint = Niemand kan met korter kennis bespreek nie.
service-horizon = Kan soveel dae vooruit bespreek word
limits-title = Hoeveel op die meeste
limits-hint = As dit leeg gelaat word, soveel as waarvoor daar tyd is. ’n Tyd wat iemand hou, tel ook. Weke begin op Maandag.
limits-staff-hint = Besprekings by hierdie persoon, ongeag die diens. As dit leeg gelaat word, soveel as waarvoor daar tyd is. Weke begin op Maandag.
limits-day = Op een dag
limits-week = In een week
service-kept = { $count ->
    [one] Een bespreking wat kom, behou sy duur en prys.
   *[other] { $count } besprekings wat kom, behou hul duur en prys.
}
service-archive-title = Bied dit nie meer aan nie?
service-archive-hint = Niemand kan dit meer bespreek nie. Wat bespreek is, vind plaas.
service-archive = Bied nie meer aan nie
service-offer-again = Bied dit weer aan

staff-title = Personeel
staff-new = Nuwe personeellid
staff-none-title = Niemand het nog ’n kalender nie
staff-none = Voeg by wie ook al jou dienste lewer.
staff-left = Nie meer hier nie
staff-hours = Openingstye
staff-place = Plek
staff-place-missing = Kies ’n plek
staff-gives = Lewer hierdie dienste
staff-gives-none = Daar is nog geen dienste nie.
staff-leave-title = Weg?
staff-leave-hint = Niemand kan hulle meer bespreek nie. Wat by hulle bespreek is, bly in die kalender om geskuif of gekanselleer te word.
staff-leave = Is weg
staff-back = Is terug

hours-title = Openingstye
hours-lede = Wanneer { $name } bespreek kan word. Laat ’n dag leeg as dit vry is.
hours-opens = { $day }, open
hours-closes = { $day }, sluit
hours-opens-again = { $day }, open weer na die pouse
hours-closes-again = { $day }, sluit na die pouse
hours-to = tot
hours-wrong = { $day }: tik albei tye in, die latere een na die vroeëre
hours-differ = Dae wat verskil
hours-differ-none = Geen dag wat verskil, is beplan nie.
hours-differ-closed = gesluit
hours-differ-add = Voeg ’n dag by
hours-differ-date = Datum
hours-differ-opens = Open
hours-differ-closes = Sluit
hours-differ-hint = Sonder tye is dit heeldag gesluit.
hours-differ-remove = Verwyder
hours-differ-wrong = Tik ’n datum in, en albei tye of geen
hours-differ-is-closed = Hierdie dag is gesluit. Maak dit eers soos elke ander, en vul dan sy ure in

rooms-title = Kamers
rooms-lede = Kamers en toerusting wat dienste nodig het. Van ’n paar van ’n soort is enige een wat vry is, goed.
rooms-none-title = Nog geen kamers nie
rooms-none = Jy het dit net nodig waar mense iets deel wat beset kan wees.
rooms-new = Nuwe soort kamer of toerusting
rooms-name-hint = Soos Behandelingskamer, of Laser.
rooms-more = Nog een { $kind }
rooms-add = Voeg by
rooms-unused = Buite gebruik
rooms-unuse = Neem buite gebruik
rooms-use = Gebruik weer
service-needs = Wat dit nodig het
service-need = Hoeveel: { $kind }
service-capacity = Hoeveel na een besoek kan kom
service-capacity-hint = Meer as een maak dit ’n klas.
