# What staff does to bookings: making, moving and calling them off, and time off.

change-title = Manje kwenzekani?
change-arrived = Ufikile
change-completed = Kuqediwe
change-no-show = Akafikanga
change-not-arrived = Akekho nokho
change-came = Ufikile nokho
change-no-show-undo = Hoxisa “akafikanga”
change-move = Hambisa
change-cancel = Khansela
change-repeat = Phinda
change-not-now = Lokho akukwazi ukwenziwa kulokhu kubhukha manje.
change-meanwhile = Omunye ushintshe lokhu kubhukha okwamanje. Buka ukuthi kumi kanjani manje.

desk-done-booked = Kubhukhiwe.
desk-done-told = Kuqoshiwe.
desk-done-moved = Kuhanjisiwe. Ikhasimende liyaziswa.
desk-done-cancelled = Kukhanseliwe. Ikhasimende liyaziswa.
desk-done-away = Isikhathi sokungabikho sifakiwe.
desk-done-back = Isikhathi sokungabikho siqediwe.

# How a booking came about.
source-phone = Kubhukhwe ngocingo
source-walk-in = Ufike engabhukhile
source-online = Kubhukhwe ku-inthanethi
booking-source = Kwenzeke kanjani
booking-cancel-reason = Isizathu sokukhansela

desk-move-title = Hambisa ukubhukha
desk-move-from = U-{ $name } ubhukhelwe { $time }.
desk-move-yes = Hambisa kulesi sikhathi
desk-with = No
desk-anyone = Noma ubani
desk-gone = { $time } isikhathi sisanda kuthathwa. Khetha esinye isikhathi.
desk-full = Usuku lwe-{ $time } selugcwele: sekubhukhe abaningi abavunyelwe ngalolo suku noma ngalelo sonto. Khetha olunye usuku.
desk-no-times = Asikho isikhathi esikhululekile { $day }.
desk-no-times-at-all = Asikho isikhathi esikhululekile esingabhukhwa.
desk-soonest = Izikhathi ezikhululekile ezilandelayo

desk-cancel-title = Khansela ukubhukha
desk-cancel-of = { $name }, { $time }
desk-cancel-whose = Ubani okhanselayo?
desk-cancel-customer = Ikhasimende
desk-cancel-customer-fee = Kubiza { $fee } kubo manje.
desk-cancel-customer-free = Akubabizi lutho manje.
desk-cancel-business = Yithi
desk-cancel-business-hint = Akulibizi lutho ikhasimende.
desk-cancel-whose-missing = Khetha okhanselayo
desk-cancel-waiver = Isibhedlela noma ukushonelwa: ayikho imali
desk-cancel-reason = Isizathu
desk-cancel-reason-hint = Ikhasimende alikuboni lokhu.
desk-cancel-rest = { $count ->
    [one] Nokuvakasha kwalolu chungechunge okulandelayo
   *[other] Nokuvakasha okungu-{ $count } kwalolu chungechunge okulandelayo
}
desk-cancel-yes = Kukhansele
desk-cancel-no = Kugcine

book-title = Ukubhukha okusha
book-service = Isevisi
book-show = Bonisa izikhathi
book-who = Kuza ubani?
book-search = Igama, inombolo noma i-imeyili yekhasimende
book-find = Thola
book-found = Abatholakele
book-found-none = Akekho otholakele.
book-new = Umuntu omusha
book-new-hint = Ngaphandle kwekheli le-imeyili akekho obhalelwayo.
book-guest-unknown = Lelo khasimende alisekho. Lithole futhi.
book-note = Abafuna sikwazi
book-told = Batsheliwe ukuthi imininingwane yabo isetshenziselwani
book-told-hint = Okumele bakutshelwe: isaziso saleli bhizinisi
book-yes = Bhukha

walk-in-title = Ofike engabhukhile
walk-in-next = Ubani obasizayo?
walk-in-now = manje
walk-in-none = Akekho ongabasiza namuhla.
walk-in-gone = Lokho sekushintshile. Buka ukuthi ubani okhululekile manje.
walk-in-next-missing = Khetha obasizayo
walk-in-yes = Bakhona

time-off-title = Isikhathi sokungabikho
time-off-new = Faka isikhathi sokungabikho
time-off-who = Ubani
time-off-why = Kungani
time-off-from = Usuku lokuqala
time-off-opens = Kusukela, ngosuku lokuqala
time-off-until = Usuku lokugcina
time-off-closes = Kuze kube, ngosuku lokugcina
time-off-whole = Okungenalutho kusho usuku lonke.
time-off-look = Buka ukuthi kuthinta ini
time-off-staff-missing = Khetha ongekho
time-off-days = Nikeza izinsuku nezikhathi ngokulandelana ezingakadluli
time-off-ahead = Okufakiwe
time-off-ahead-none = Asikho isikhathi sokungabikho esifakiwe.
time-off-span = { $from } kuya ku-{ $until }
time-off-end = Siqede
time-off-check = Kulungile yini?
time-off-hits = { $count ->
    [0] Akuthinti kubhukha.
    [one] Kuthinta ukubhukha okukodwa. Yisho ukuthi kwenzekani kukho.
   *[other] Kuthinta ukubhukha okungu-{ $count }. Yisho ukuthi kwenzekani kukho ngakunye.
}
time-off-at-once = Konke kwenziwa kanyekanye uma uqinisekisa; kuze kube yileso sikhathi akukho okushintshile.
time-off-stays = Kuhlala kunjalo
time-off-move = Hambisa ku-{ $time }
time-off-cancel = Kukhansele
time-off-undecided = Kukhona okubhukhiwe noma okushintshile okwamanje. Akukenziwa lutho: buka futhi.
time-off-gone = Isikhathi obuhambisela kuso sisanda kuthathwa. Akukenziwa lutho: khetha futhi.
time-off-gone-one = Leso sikhathi sisanda kuthathwa
time-off-again = Kubhukhwa kakhulu manje. Akukenziwa lutho: zama futhi.
time-off-yes = Faka isikhathi sokungabikho
time-off-meanwhile = Kubhukhiwe noma kushintshile okwamanje
