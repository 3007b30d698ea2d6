# Aanmeld, die raam van die toonbank, en wat ’n rekening beveilig.

role-owner = Eienaar
role-manager = Bestuurder
role-staff = Personeel
role-front-desk = Ontvangs

field-password-missing = Vul jou wagwoord in
field-password-short = Kies ’n wagwoord van minstens { $min } karakters; ’n kort sin is goed
field-password-long = Kies ’n wagwoord van hoogstens { $max } karakters
field-password-guessable = Kies ’n wagwoord wat moeiliker is om te raai; hierdie een word eerste probeer

account-email = E-pos
account-password = Wagwoord
account-for-businesses = Vir besighede

sign-in-title = Meld aan
sign-in-lede = By die toonbank van jou besigheid.
sign-in-button = Meld aan
sign-in-refused-title = Dit het nie gewerk nie
sign-in-refused = Die e-posadres of die wagwoord is nie reg nie. As jy pas geregistreer het, volg eers die skakel in ons e-pos.
sign-in-later-title = Wag asseblief ’n bietjie
sign-in-later = Te veel pogings het misluk. Probeer weer oor { $wait }. ’n Blaaier waarin jy al aangemeld het, wag nie vir vreemdelinge nie.
sign-out-button = Meld af

places-title = Jou besighede
places-empty-title = Jy behoort aan geen besigheid nie
places-empty = Wie dit bestuur, kan jou per e-pos nooi.
places-open = Maak die toonbank oop


field-code-wrong = Hierdie kode is nie reg nie, of is al gebruik; vul die nuutste een in
field-password-wrong = Hierdie wagwoord is nie reg nie
field-password-of-account = Jy het reeds ’n rekening met hierdie adres; vul sy wagwoord in
field-business-missing = Vul in wat jou besigheid se naam is
field-address-missing = Vul in waarheen jou kliënte kom
field-kind-missing = Kies wat die naaste aan jou besigheid is
field-slug-shape = Gebruik kleinletters, syfers en enkele koppeltekens, en begin met ’n letter
field-slug-taken = Hierdie adres is gevat; { $suggestion } is vry

continue-button = Gaan voort
step-later = Te veel pogings het misluk. Probeer weer oor { $wait }.
code-title = Vul jou kode in
code-lede = Maak jou kode-app oop en vul die ses syfers vir Booking in.
code-label = Kode
code-hint = As jy jou foon verloor het, vul een van jou herstelkodes in.
password-again-title = Jou wagwoord, asseblief
password-again-lede = Wat volg, is belangrik; daarom vra ons nog een keer wie jy is.

sign-in-forgot = Wagwoord vergeet?
sign-in-new = Nuut hier?
forgot-title = Wagwoord vergeet?
forgot-lede = Ons stuur vir jou ’n skakel om ’n ander een te kies.
forgot-button = Stuur die skakel
forgot-sent-title = Kyk in jou e-pos
forgot-sent = As daar ’n rekening met hierdie adres is, is ’n skakel op pad. Dit werk 30 minute lank.
new-password-title = Kies ’n nuwe wagwoord
new-password-lede = Jy word oral anders afgemeld.
new-password-label = Nuwe wagwoord
new-password-button = Stel die wagwoord
password-hint = Minstens 12 karakters. ’n Kort sin is maklik om te onthou.
password-show = Wys die wagwoord
password-strength-short = Te kort: minstens 12 karakters is nodig
password-strength-weak = Lank genoeg, maar maklik om te raai: een woord, of baie wat herhaal of op mekaar volg
password-strength-good = Goed, tensy dit ’n bekende woord of naam is
password-strength-strong = Baie goed
link-over-title = Hierdie skakel werk nie meer nie
link-over = Dit is gebruik, of dit is te oud. Vra ’n nuwe een waar jy dit gekry het.

start-title = Begin jou besprekingsbladsy
start-lede = Binne ’n paar minute het jy ’n bladsy wat bespreek kan word. Jy kan later alles verander.
start-business = Naam van jou besigheid
start-address = Adres
start-address-hint = Waarheen jou kliënte kom.
start-slug = Adres van jou bladsy
start-slug-hint = Soos karoo-cuts. As jy dit weglaat, maak ons een van die naam.
start-kind = Watter soort besigheid is dit?
start-name = Jou naam
start-email-hint = Daarmee meld jy aan, en daarheen skryf ons.
start-button = Maak my bladsy
start-privacy = Niemand anders kry jou besonderhede nie. Jou bladsy is in geen lys voordat jy die skakel in ons e-pos gevolg het nie.
kind-hair = Hare en barbier
kind-beauty = Skoonheid en massering
kind-health = Gesondheid
kind-lessons = Lesse en afrigting
kind-other = Iets anders
service-cut = Sny
service-cut-and-wash = Was en sny
service-colour = Kleur
service-manicure = Manikuur
service-facial = Gesigbehandeling
service-massage = Massering
service-first-visit = Eerste besoek
service-follow-up = Opvolg
service-trial-lesson = Proefles
service-lesson = Les
service-appointment = Afspraak
service-long-appointment = Lang afspraak
confirm-title = Bevestig jou adres
confirm-lede = Vul jou wagwoord in, en jou bladsy word gelys.
confirm-hint = As jy vantevore ’n rekening met hierdie adres gehad het, daardie een se wagwoord.
confirm-button = Bevestig
confirm-not-you = As jy niks hier begin het nie, maak hierdie bladsy toe; niks gebeur nie.

account-title = Jou rekening
account-name = Naam
account-change = Verander
account-codes = Kode-app
account-codes-on = Aan
account-codes-off = Af
account-unconfirmed-title = Bevestig jou adres
account-unconfirmed = Ons het ’n skakel na { $email } gestuur. Totdat jy dit volg, is jou bladsy in geen lys nie en kan jy net in hierdie blaaier aangemeld wees.
account-confirm-again = Stuur die skakel weer
account-sessions = Waar jy aangemeld is
account-this = (hier)
account-seen = Laas gebruik om { $when }
account-end = Meld af
account-end-others = Meld oral anders af

codes-title = Kode-app
codes-lede = Met ’n kode-app op jou foon laat jou wagwoord alleen niemand in nie.
codes-picture = ’n Prent vir die kamera van jou kode-app
codes-by-hand = Of tik dit in die app in:
codes-first = Die ses syfers wat die app nou wys.
codes-button = Skakel dit aan
codes-works = Dit werk. Van nou af vra ons ’n kode wanneer jy aanmeld.
codes-recovery-title = Herstelkodes
codes-recovery = Hou dit waar niemand anders dit vind nie. Elkeen laat jou een keer in wanneer jou foon weg is. Hulle word net nou gewys.
codes-kept = Ek het hulle gebêre
codes-on = Jou kode-app is aan. Daarsonder beskerm net jou wagwoord jou rekening.
codes-remove = Skakel dit af

passkeys-title = Toegangsleutels
passkeys-lede = Met ’n toegangsleutel meld jy aan soos jy jou foon of rekenaar oopmaak: met jou vinger, jou gesig of die PIN. Daar is niks om te tik nie, en niks wat ’n vals bladsy by jou kan kry nie.
passkeys-yours = Joune
passkeys-added = Bygevoeg om { $when }
passkeys-remove = Verwyder
passkeys-name = Naam
passkeys-name-hint = Sodat jy dit herken, soos die toestel waarop dit is.
passkeys-add = Voeg ’n toegangsleutel by
passkeys-without = Om ’n toegangsleutel by te voeg, moet ’n skrip van hierdie bladsy loop, in ’n blaaier wat toegangsleutels ken. Alles anders hier werk daarsonder.
passkeys-failed = Niks het daarvan gekom nie: dit is gestop, het te lank geduur, of hierdie toestel het geen toegangsleutel daarvoor nie. Jy kan weer probeer.
passkeys-refused-title = Dit het nie gewerk nie
passkeys-refused = Hierdie toegangsleutel is nie bygevoeg nie. Probeer weer op hierdie bladsy; die een wat jou toestel gehou het, kan daar verwyder word.
passkeys-enough = Jy het soveel toegangsleutels as wat kan wees. Verwyder eers een.
passkeys-unconfirmed = Volg eers die skakel in ons e-pos aan jou; dan kan jy toegangsleutels byvoeg.
passkeys-password = Jou wagwoord laat jou steeds in. ’n Toegangsleutel staan vir die wagwoord en die kode van jou kode-app.
account-passkeys = { $count ->
    [0] Geen
    [one] Een
   *[other] { $count }
}
sign-in-passkey = Meld aan met ’n toegangsleutel
sign-in-passkey-refused = Hierdie toegangsleutel is nie aanvaar nie. Probeer weer, of meld aan met jou wagwoord.
sign-in-passkey-without = ’n Toegangsleutel het ’n skrip nodig; jou wagwoord werk daarsonder.

invitation-title = { $business } nooi jou
invitation-lede = Hierdie uitnodiging is vir { $email }.
invitation-password-hint = Minstens 12 karakters; of die wagwoord van die rekening wat jy reeds het.
invitation-button = Aanvaar
members-title = Mense
members-you = (jy)
members-role-of = Rol van { $name }
members-change = Verander rol
members-remove = Verwyder
members-invited = Genooi, nog nie hier nie
members-withdraw = Trek terug
members-invite-title = Nooi iemand
members-invite-hint = Ons stuur ’n skakel wat sewe dae lank werk.
members-invite = Nooi
members-last-owner = ’n Besigheid het altyd ’n eienaar; maak eers iemand anders ’n eienaar
members-confirm-first = Volg eers die skakel in ons e-pos aan jou; dan kan jy ander nooi

welcome-title = Jou bladsy is gereed
welcome-lede = { $business } kan nou bespreek word. Probeer dit self.
welcome-unconfirmed = Volg die skakel in ons e-pos, en jou bladsy word vir almal gelys.
welcome-next = Wat volg
welcome-members = Nooi jou mense
welcome-members-about = Kollegas met hul eie kalenders, of ontvangs vir almal.
welcome-offer = Kyk na dienste en ure
welcome-offer-about = Waarmee jy begin, is ’n voorstel.
welcome-passkey = Meld aan met jou vinger of gesig
welcome-passkey-about = ’n Toegangsleutel op jou foon of rekenaar: niks om te tik nie, en niks wat ’n vals bladsy kan kry nie.
welcome-codes = Beveilig jou rekening
welcome-codes-about = ’n Kode-app hou vreemdelinge uit wat jou wagwoord ken.
welcome-embed-title = Op jou eie webwerf
welcome-embed-link = ’n Skakel, wat oral werk:
welcome-embed-frame = Of ’n raam met die volgende vrye tye:
welcome-embed-words = Bespreek ’n tyd
desk-welcome = Eerste stappe, en jou webwerf
embed-title = Volgende vrye tye by { $business }
embed-none = Niks is in die komende dae vry nie.
embed-all = Sien alle tye
desk-role = Rol
