# Imiyalezo, amaholide nobumfihlo, ngendlela ibhizinisi elikumisa ngayo.

settings-more = Ezinye izilungiselelo
reminders-title = Imiyalezo nezikhumbuzo
reminders-about = Ivela kubani imiyalezo, akhunjuzwa nini amakhasimende, amahora okuthula
reminders-from = Imiyalezo ivela kubani
reminders-sender = Igama lomthumeli
reminders-sender-hint = Igama lebhizinisi uma kushiywe kungenalutho.
reminders-email = Ikheli lezimpendulo
reminders-email-hint = Izimpendulo zamakhasimende ziya khona, nezwi ngemiyalezo engakwazanga ukuthunyelwa.
reminders-when = Akhunjuzwa nini amakhasimende
reminders-by-email = Nge-imeyili
reminders-by-sms = Ngomyalezo wombhalo
reminders-none = Lutho
reminders-before = { $time } ngaphambili
reminders-days = { $days ->
    [one] usuku olu-1
   *[other] izinsuku ezingu-{ $days }
}
reminders-quiet = Phakathi kwalezi zikhathi akekho okhunjuzwayo. Isikhathi esifanayo kabili sisho noma nini.
reminders-quiet-from = Ukuthula kusuka
reminders-quiet-until = kuze kube
reminders-time-wrong = Faka isikhathi esifana no-20:00
reminders-hides = Ungasho igama lesevisi
reminders-hides-hint = Imiyalezo izothi “isikhathi sakho” esikhundleni salo. Khetha lokhu uma igama lesevisi lisho okuningi kakhulu.

holidays-title = Amaholide omphakathi
holidays-about = Izinsuku enivala ngazo
holidays-kept = Nivaliwe ngamaholide omphakathi, ngaphandle kwalawo angezansi athi kuvuliwe.
holidays-not-kept = Nivulile ngamaholide omphakathi, ngaphandle kwalawo angezansi athi kuvaliwe.
holidays-ignore = Vula ngamaholide omphakathi
holidays-keep = Vala ngamaholide omphakathi
holidays-closed = Kuvaliwe
holidays-open = Kuvuliwe
holidays-be-open = Vula
holidays-be-closed = Vala
holidays-forget = Susa
holidays-new = Olunye usuku
holidays-date = Usuku
holidays-date-wrong = Khetha usuku olungaphakathi konyaka ozayo
holidays-name = Luyini
holidays-name-hint = Njengokubalwa kwempahla noma usuku lokuqeqeshwa.
holidays-add = Vala ngalolo suku
holiday-new-year = Usuku Lonyaka Omusha
holiday-human-rights = Usuku Lwamalungelo Abantu
holiday-good-friday = uLwesihlanu Oluhle
holiday-family = Usuku Lomndeni
holiday-freedom = Usuku Lwenkululeko
holiday-workers = Usuku Lwabasebenzi
holiday-youth = Usuku Lwentsha
holiday-women = Usuku Lwabesifazane Lukazwelonke
holiday-heritage = Usuku Lwamagugu
holiday-reconciliation = Usuku Lokubuyisana
holiday-christmas = uKhisimusi
holiday-goodwill = Usuku Lokuphana

responsible-title = Ubani ophendula ngobumfihlo
responsible-about = Amagama asesazisweni sakho sobumfihlo, nokuthi ugcina ini isikhathi esingakanani
responsible-lede = Lokhu kusesazisweni amakhasimende asibona ngaphambi kokubhuka.
responsible-who = Ibhizinisi
responsible-name = Igama elisemthethweni
responsible-address = Ikheli
responsible-officer-title = Isikhulu solwazi
responsible-officer = Igama
responsible-officer-hint = Inhloko yebhizinisi, uma kungekho omunye oqokwe kuMlawuli Wolwazi.
responsible-officer-email = I-imeyili
responsible-officer-phone = Ucingo
responsible-recipients = Ubani omunye obona ulwazi lwamakhasimende
responsible-recipients-hint = Njengomgcini wamabhuku noma isikimu sezokwelapha. Akekho, uma kushiywe kungenalutho.
responsible-keep = Kugcinwa isikhathi esingakanani
responsible-contact-days = Izinsuku ngemva kokuvakasha kokugcina zamagama namakheli
responsible-note-days = Izinsuku ngemva kokuvakasha zamanothi
responsible-days-hint = { $days } uma kushiywe kungenalutho. Amarekhodi umthetho owagcina isikhathi eside agcinwa ngalowo mthetho.
