# What a business says of itself, and its terms.

settings-title = Izilungiselelo
settings-public = Okubonwa amakhasimende
settings-name = Igama lebhizinisi
settings-place-hint = Okubizwa ngakho indawo, njengegama lomgwaqo noma lesikhungo.
settings-address = Ikheli
settings-zone = Uhlobo lwesikhathi
settings-zone-hint = Njenge-Africa/Johannesburg. Wonke amahora okuvula akulo.
settings-zone-unknown = Faka uhlobo lwesikhathi olufana ne-Africa/Johannesburg
settings-language = Ulimi
settings-language-hint = Olwamakhasimende angafuni olunye.
settings-terms = Ukukhansela
settings-terms-hint = Kokubhukhwa kusukela manje. Okubhukhiwe kugcina imibandela yakho.
settings-limit = Amakhasimende angakhansela kuze kusale imizuzu engaka
settings-limit-hint = Ngemva kwalokho kumele akhulume nawe.
settings-hours = Ngesaziso esingaphansi kwamahora angaka
settings-hours-later = Futhi ngaphansi kwamahora angaka
settings-percent = kubiza iphesenti elingaka lentengo
settings-cap = Kodwa kungeqi amarandi angaka
settings-terms-kept = Imibandela leli fomu elingakwazi ukuyikhombisa igcinwa injalo: { $count } ngaphezulu
settings-law = Akekho okhokhayo uma umuntu esesibhedlela noma eshonile: kusho umthetho.

messages-title = Imiyalezo
messages-waiting = { $count ->
    [0] awukho olindile
    [1] ulindile ongu-1
   *[other] elindile engu-{ $count }
}
messages-sent = { $count ->
    [0] awukho othunyelwe esontweni eledlule
   *[other] ethunyelwe esontweni eledlule engu-{ $count }
}
messages-dead = { $count ->
    [0] awukho ohlulekile
    [1] ongu-1 awukwazanga ukuthunyelwa
   *[other] engu-{ $count } ayikwazanga ukuthunyelwa
}
messages-none-title = Konke kuthunyelwe
messages-none = Okungakwazi ukuthunyelwa kuboniswa lapha, nesizathu.
messages-not-sent = Akukwazanga ukuthunyelwa
messages-all-again = Thumela konke futhi
messages-again = Thumela futhi
messages-late = Sekwephuze ukuthumela. Sicela ubashayele ucingo.
messages-reason = Isizathu:
message-confirmed = Isiqinisekiso
message-cancelled = Ukukhansela
message-rescheduled = Isikhathi esisha
message-reminder = Isikhumbuzo
message-alarm = Isexwayiso kuwe
message-other = Umyalezo
message-by-email = I-imeyili
message-by-sms = I-SMS
message-by-webhook = Kuhlelo oluxhunyiwe
message-by-itself = Ngaphakathi kwesistimu
