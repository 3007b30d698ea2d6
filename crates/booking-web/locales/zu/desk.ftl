# The desk: what surrounds its pages, today, and the calendar.

desk-title = Ideski
desk-today = Namuhla
desk-calendar = Ikhalenda
desk-see-page = Bona ikhasi lomphakathi
desk-demonstration = Le akhawunti nephasiwedi yayo kuyaziwa yiwo wonke umuntu. Akukho lutho lapha olungolomuntu.
desk-done-saved = Kugciniwe.
desk-done-again = Kuthunyelwa futhi.
desk-done-merged = Kuhlanganisiwe.
desk-back = Emuva
desk-nobody-yet = Kusabhukhwa manje

desk-days = Izinsuku
desk-earlier = Ngaphambilini
desk-later = Kamuva
desk-date = Usuku
desk-show = Bonisa
desk-views = Ukubuka
desk-day = Usuku
desk-week = Isonto

today-late = Abaphuzile
today-late-by = uphuze ngo-{ $time }
today-to-finish = Okumelwe kuqedelwe
today-there = Abakhona manje
today-next = Okulandelayo
today-next-none = Akusekho okubhukhiwe namuhla.
today-later = { $count ->
    [1] Kusekhona okukodwa kamuva namuhla
   *[other] Kusekhona okungu-{ $count } kamuva namuhla
}
today-gaps = Isikhathi esikhululekile namuhla
today-gaps-none = Akusekho ngisho nesigamu sehora namuhla.

today-not-sent = { $count ->
    [1] Umyalezo owodwa awukwazanga ukuthunyelwa
   *[other] Imiyalezo engu-{ $count } ayikwazanga ukuthunyelwa
}

calendar-whose = Ikhalenda kabani
calendar-everybody = Wonke umuntu
calendar-nobody-title = Akekho onekhalenda okwamanje
calendar-nobody = Uma sekunabasebenzi, izinsuku zabo ziboniswa lapha.
calendar-closed = kuvaliwe
calendar-break = Ikhefu
calendar-away = akekho:
calendar-nothing = Akukho okubhukhiwe
calendar-visits = { $count ->
    [0] akukho okubhukhiwe
    [1] ukubhukha okukodwa
   *[other] ukubhukha okungu-{ $count }
}

# Where a booking stands.
state-held = Kusabhukhwa manje
state-expired = Akuqediwe
state-confirmed = Kuqinisekisiwe
state-arrived = Ufikile
state-completed = Kuqediwe
state-no-show = Akafikanga
state-cancelled-by-customer = Kukhanselwe yikhasimende
state-cancelled-by-business = Kukhanselwe yithi

# Why somebody is away, or something cannot be used.
away-leave = Ikhefu lomsebenzi
away-sick = Uyagula
away-training = Ukuqeqeshwa
away-closed = Kuvaliwe
away-other = Akutholakali

desk-save = Gcina
desk-changed = Kukhona omunye okushintshile lokhu okwamanje. Bheka okubhalwe lapho manje ngaphambi kokugcina.

booking-notes = Amanothi
booking-customer-note = Ikhasimende libhale:
booking-desk-note = Okwabasebenzi
booking-desk-note-hint = Ikhasimende alikuboni lokhu.
booking-history = Umlando
booking-facts = Okuvunyelwene ngakho
booking-fee = Imali ekhokhwayo
booking-phone = Ucingo
booking-email = I-imeyili
booking-customer = Irekhodi lekhasimende

# What happened, and by whom.
history-held = Isikhathi sagcinwa
history-extended = Isikhathi sagcinwa isikhathi eside
history-expired = Isikhathi sadedelwa
history-confirmed = Kubhukhiwe
history-arrived = Ufikile
history-arrival-undone = Akekho lapha
history-completed = Kuqediwe
history-no-show = Akafikanga
history-no-show-undone = Ugcine efikile
history-cancelled = Kukhanseliwe
history-moved = Kususwe ku-{ $from } kwayiswa ku-{ $to }
history-added = Kwengeziwe
history-merged = Kuhlanganiswe nelinye irekhodi
history-changed = Kushintshiwe
history-noted = Inothi lishintshiwe
history-hold = Kubekwe ukubamba
history-hold-lifted = Ukubamba kususiwe
history-by = ngu-{ $name }
history-by-customer = yikhasimende
history-by-staff = ngabasebenzi
history-by-clock = ngokuzenzakalela
