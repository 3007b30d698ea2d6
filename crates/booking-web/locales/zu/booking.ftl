# From choosing a time to a booking, and its end.

steps = Izinyathelo zokubhukha
step-time = Isikhathi
step-details = Imininingwane yakho
step-confirmed = Kuqinisekisiwe

fact-when = Nini
fact-where = Kuphi
fact-service = Insizakalo
fact-takes = Ubude
fact-price = Intengo
fact-with = Nobani
fact-times-in = Uhlobo lwesikhathi
facts = Lokho okubhukhayo

times-title = Khetha isikhathi
times-lede = { $service }, e-{ $business }
times-weeks = Amasonto
times-earlier = Isonto elingaphambili
times-later = Isonto elilandelayo
times-none-title = Azikho izikhathi ezikhululekile { $day }
times-none = Asikho isikhathi esikhululekile emasontweni azayo. Sicela ubuze i-{ $business } ngqo.
times-none-until = Akukho okukhululekile ngaphambi kuka-{ $day }.
times-further = Bheka phambili
times-none-day = Olunye usuku luyavuma: nazi izikhathi ezilandelayo ezikhululekile.
times-next = Izikhathi ezilandelayo ezikhululekile
times-gone = { $time } ayisatholakali. Sicela ukhethe esinye isikhathi.
times-full = Sekubhukhe abantu abaningi ngendlela ibhizinisi elibamukela ngayo ngalolo suku noma ngalelo sonto, ngakho { $time } ayikwazi ukubhukhwa. Sicela ukhethe olunye usuku.
times-held-title = Kunesikhathi osigcinelwe
times-held = { $time }, kuze kube ngu-{ $until }. Uma ukhetha esinye isikhathi, lesi sizotholakala kwabanye.
times-held-go-on = Qhubeka naso
times-continue = Qhubeka
times-month = Bona inyanga yonke
month-title = Khetha usuku
month-months = Izinyanga
month-earlier = Inyanga engaphambili
month-later = Inyanga elandelayo
month-marks = Okushiwo izimpawu
month-many = izikhathi ezikhululekile
month-few = kusele ezimbalwa
month-zone = Zonke izikhathi ziku-{ $zone }.
staff-with = Nobani?
staff-anyone = Noma ngubani
morning = Ekuseni
afternoon = Ntambama
evening = Kusihlwa

held-until = Sigcinwe sakho kuze kube ngu-{ $until }.
held-meanwhile = Akekho omunye ongasithatha okwamanje.
held-soon = Kusele imizuzu engaphansi kwemibili yokuqinisekisa lesi sikhathi.
held-over = Lesi sikhathi asisagcinwa. Usengasiqinisekisa, uma kungekho omunye oshesha kunawe.
held-over-title = Lesi sikhathi asisagcinwa
held-over-advice = Singase sisekhona: siqinisekise, sibe ngesakho ngaphandle uma omunye eshesha kunawe.
held-extend = Ngidinga eminye imizuzu engu-10

details-title = Imininingwane yakho
details-gone-title = Leso sikhathi sisanda kuthathwa
details-gone = { $time }: lesi sikhathi asisakhululekile. Akukho okubhukhiwe, futhi okubhalile kusekhona lapha.
details-full-title = Lolo suku selugcwele
details-full = Sekubhukhe abantu abaningi ngendlela ibhizinisi elibamukela ngayo ngalolo suku noma ngalelo sonto, ngakho { $time } ayikwazi ukubhukhwa. Akukho okubhukhiwe, futhi okubhalile kusekhona lapha.
details-nothing-close = Akukho okukhululekile okuseduze naso.
details-another-day = Bheka olunye usuku
details-nearest = Izikhathi ezikhululekile eziseduze
details-other-times = Bheka ezinye izikhathi
details-name = Igama nesibongo
details-email = I-imeyili
details-email-hint = Lapho ibhizinisi lingakuthola khona.
details-phone = Ucingo
details-phone-hint = Lusetshenziswa kuphela uma kukhona okushintshayo ekubhukheni kwakho.
details-note = Ingabe kukhona i-{ $business } okufanele ikwazi?
details-note-hint = Sicela ungafaki imininingwane yezempilo noma eminye eyimfihlo.
details-use = I-{ $business } isebenzisa le mininingwane ukugcina isikhathi sakho kuphela, ayikho enye into eyisetshenziselwa yona.
details-confirm = Qinisekisa ukubhukha
details-another-time = Khetha esinye isikhathi

booked-title = Usubhukhile
booked-lede = I-{ $business } ikulindele { $day } ngo-{ $clock }.
booked-keep-title = Gcina leli khasi
booked-keep = Ikheli laleli khasi liyisikhiye salokhu kubhukha. Ligcine kumabhukhimakhi, bese ungabuyela kulo.
booked-cancel-until = Ungakhansela kuze kube ngu-{ $moment }.
booked-too-late = Sekwephuze kakhulu ukukhansela lapha: sicela ukhulume ne-{ $business }.
booked-no-move = Ukuyihambisa manje: sicela ukhulume ne-{ $business }.
booked-calendar = Faka ekhalendeni
booked-move = Khetha esinye isikhathi
booked-cancel = Khansela lokhu kubhukha

over-title = Ukuvakasha kwakho
over-lede = Ububhukhe ku-{ $business } { $day } ngo-{ $clock }.
over-again = Bhukha futhi

cancelled-title = Ukubhukha kwakho kukhanseliwe
cancelled-lede = Isikhathi sesikhululekele omunye umuntu. Akukho okunye okudingeka ukwenze.
cancelled-again = Bhukha esinye isikhathi

cancel-title = Khansela ukubhukha kwakho
cancel-heading = Ukhansela lokhu kubhukha?
cancel-lede = Isikhathi siya komunye umuntu ngokushesha. Lokhu akukwazi ukuhlehliswa, kodwa ungabhukha futhi.
cancel-only-with-waiver = Sekwephuze kakhulu ukukhansela, ngaphandle uma usesibhedlela noma ushonelwe umuntu oseduze. Lokho kuhlala kwamukelekile, futhi akubizi lutho.
cancel-yes = Yebo, khansela
cancel-no = Kugcine
cancel-costs = Ukukhansela kubiza
cancel-costs-nothing = Akubizi lutho
cancel-costs-later = Kusukela { $moment } kubiza { $fee }.
cancel-waiver = Ngisesibhedlela, noma ngishonelwe umuntu oseduze kwami
cancel-waiver-hint = Uma kunjalo ayikho imali ekhokhwayo. Akukho okugcinwayo ngaphandle kokuthi ukhethe lokhu.

move-title = Khetha esinye isikhathi
move-back = Isikhathi sakho
move-lede = { $service } ibekelwe { $time }. Leso sikhathi sihlala singesakho uze ukhethe esinye.
move-yes = Shintsha isikhathi
