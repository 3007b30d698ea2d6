# What a business says of itself, and its terms.

settings-title = Instellings
settings-public = Wat kliënte sien
settings-name = Naam van die besigheid
settings-place-hint = Wat die plek genoem word, soos die straat of die sentrum.
settings-address = Adres
settings-zone = Tydsone
settings-zone-hint = Soos Africa/Johannesburg. Alle openingstye is daarin.
settings-zone-unknown = Tik ’n tydsone soos Africa/Johannesburg
settings-language = Taal
settings-language-hint = Vir kliënte wat geen ander een wil hê nie.
settings-terms = Kansellasie
settings-terms-hint = Vir wat van nou af bespreek word. Wat bespreek is, behou sy voorwaardes.
settings-limit = Kliënte kan kanselleer tot soveel minute voor die tyd
settings-limit-hint = Daarna moet hulle met jou praat.
settings-hours = Met minder kennis as soveel uur
settings-hours-later = En met minder as soveel uur
settings-percent = kos dit soveel persent van die prys
settings-cap = Maar nooit meer as soveel rand nie
settings-terms-kept = Voorwaardes wat hierdie vorm nie kan wys nie, bly soos hulle is: nog { $count }
settings-law = Niemand betaal wanneer iemand in die hospitaal of oorlede is nie: die wet sê so.

messages-title = Boodskappe
messages-waiting = { $count ->
    [0] geen wag nie
    [one] 1 wag
   *[other] { $count } wag
}
messages-sent = { $count ->
    [0] geen in die laaste week gestuur nie
   *[other] { $count } in die laaste week gestuur
}
messages-dead = { $count ->
    [0] geen opgegee nie
    [one] 1 kon nie gestuur word nie
   *[other] { $count } kon nie gestuur word nie
}
messages-none-title = Alles is gestuur
messages-none = Wat nie gestuur kan word nie, word hier gewys, met die rede.
messages-not-sent = Kon nie gestuur word nie
messages-all-again = Stuur almal weer
messages-again = Stuur weer
messages-late = Te laat om te stuur. Bel hulle asseblief.
messages-reason = Rede:
message-confirmed = Bevestiging
message-cancelled = Kansellasie
message-rescheduled = Nuwe tyd
message-reminder = Herinnering
message-alarm = Waarskuwing aan jou
message-other = Boodskap
message-by-email = E-pos
message-by-sms = SMS
message-by-webhook = Aan ’n gekoppelde program
message-by-itself = Binne die stelsel
