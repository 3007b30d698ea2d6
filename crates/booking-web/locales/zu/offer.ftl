# What a business offers: services, staff, opening hours.

services-title = Izinsizakalo
services-new = Insizakalo entsha
services-none-title = Akukho okungabhukhwa okwamanje
services-none = Engeza insizakalo yokuqala, usho ukuthi ubani oyenzayo.
services-archived = Ayisanikezwa
services-ahead = { $count ->
    [0] akukho okuzayo
    [1] ukubhukha okukodwa okuzayo
   *[other] ukubhukha okungu-{ $count } okuzayo
}

service-name = Igama
service-about = Incazelo
service-about-hint = Okufundwa ngamakhasimende ngaphambi kokukhetha.
service-price = Intengo ngamarandi
service-duration = Ubude ngemizuzu
service-givers = Ubani oyenzayo
service-givers-none = Abekho abasebenzi okwamanje.
service-times = Izikhathi
service-step = Isikhathi ngemva kwemizuzu engaka
service-step-hint = Ngo-15, amakhasimende abona 09:00, 09:15, 09:30.
service-before = Imizuzu yokulungiselela ngaphambili
service-after = Imizuzu yokuhlanza ngemva kwayo
service-notice = Isaziso esincane ngemizuzu
service-notice-hint = Akekho ongabhukha ngesaziso esifushane kunalesi.
service-horizon = Ingabhukhwa izinsuku ezingaka ngaphambili
limits-title = Abaningi abavunyelwe
limits-hint = Uma kungagcwalisiwe, bangangesikhathi esikhona. Isikhathi esibanjiwe naso siyabalwa. Amasonto aqala ngoMsombuluko.
limits-staff-hint = Ukubhukha nalo muntu, noma iyiphi insizakalo. Uma kungagcwalisiwe, bangangesikhathi esikhona. Amasonto aqala ngoMsombuluko.
limits-day = Ngosuku olulodwa
limits-week = Ngesonto elilodwa
service-kept = { $count ->
    [1] Ukubhukha okukodwa okuzayo kugcina ubude nentengo yakho.
   *[other] Ukubhukha okungu-{ $count } okuzayo kugcina ubude nentengo yakho.
}
service-archive-title = Ingasanikezwa?
service-archive-hint = Akekho osangayibhukha. Okubhukhiwe kuzokwenzeka.
service-archive = Yeka ukuyinikeza
service-offer-again = Yinikeze futhi

staff-title = Abasebenzi
staff-new = Isisebenzi esisha
staff-none-title = Akekho onekhalenda okwamanje
staff-none = Engeza noma ubani owenza izinsizakalo zakho.
staff-left = Akasekho lapha
staff-hours = Amahora okuvula
staff-place = Indawo
staff-place-missing = Khetha indawo
staff-gives = Wenza lezi zinsizakalo
staff-gives-none = Azikho izinsizakalo okwamanje.
staff-leave-title = Usehambile?
staff-leave-hint = Akekho osangambhukha. Okubhukhwe kuye kuhlala ekhalendeni ukuze kushintshwe noma kukhanselwe.
staff-leave = Usehambile
staff-back = Usebuyile

hours-title = Amahora okuvula
hours-lede = Izikhathi lapho u-{ $name } angabhukhwa khona. Shiya usuku lungenalutho uma lukhululekile.
hours-opens = { $day }, kuyavulwa
hours-closes = { $day }, kuyavalwa
hours-opens-again = { $day }, kuvulwa futhi ngemva kwekhefu
hours-closes-again = { $day }, kuvalwa ngemva kwekhefu
hours-to = kuya ku-
hours-wrong = { $day }: faka zombili izikhathi, esilandelayo ngemva kwesokuqala
hours-differ = Izinsuku ezihlukile
hours-differ-none = Alukho usuku oluhlukile oluhleliwe.
hours-differ-closed = kuvaliwe
hours-differ-add = Engeza usuku
hours-differ-date = Usuku
hours-differ-opens = Kuyavulwa
hours-differ-closes = Kuyavalwa
hours-differ-hint = Ngaphandle kwezikhathi kuvalwe usuku lonke.
hours-differ-remove = Susa
hours-differ-wrong = Faka usuku, nezikhathi zombili noma ungafaki nasinye
hours-differ-is-closed = Lolu suku luvaliwe. Lwenze lufane nezinye kuqala, bese ufaka amahora alo

rooms-title = Amagumbi
rooms-lede = Amagumbi nezinsiza ezidingwa yizinsizakalo. Kokuningi okufanayo, noma yikuphi okukhululekile kulungile.
rooms-none-title = Awekho amagumbi okwamanje
rooms-none = Uwadinga kuphela lapho abantu behlanganyela into engathathwa.
rooms-new = Uhlobo olusha lwegumbi noma lwensiza
rooms-name-hint = Njenge-Gumbi lokwelapha, noma i-Laser.
rooms-more = Okunye futhi: { $kind }
rooms-add = Engeza
rooms-unused = Akusetshenziswa
rooms-unuse = Yeka ukukusebenzisa
rooms-use = Kusebenzise futhi
service-needs = Lokho ekudingayo
service-need = Kungaki: { $kind }
service-capacity = Bangaki abangeza ekuvakasheni okukodwa
service-capacity-hint = Ngaphezu kwesisodwa kuba yikilasi.
