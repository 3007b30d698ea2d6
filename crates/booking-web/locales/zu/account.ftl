# Ukungena, uhlaka lwedeski, nokuvikela i-akhawunti.

role-owner = Umnikazi
role-manager = Umphathi
role-staff = Isisebenzi
role-front-desk = Abamukeli

field-password-missing = Faka iphasiwedi yakho
field-password-short = Khetha iphasiwedi enezinhlamvu okungenani ezingu-{ $min }; umusho omfushane muhle
field-password-long = Khetha iphasiwedi enezinhlamvu ezingeqi ku-{ $max }
field-password-guessable = Khetha iphasiwedi okunzima ukuyiqagela; le izanywa kuqala

account-email = I-imeyili
account-password = Iphasiwedi
account-for-businesses = Okwamabhizinisi

sign-in-title = Ngena
sign-in-lede = Edeskini lebhizinisi lakho.
sign-in-button = Ngena
sign-in-refused-title = Akusebenzanga
sign-in-refused = Ikheli le-imeyili noma iphasiwedi akulungile. Uma usanda kubhalisa, landela kuqala isixhumanisi esise-imeyilini yethu.
sign-in-later-title = Sicela ulinde kancane
sign-in-later = Imizamo eminingi ayiphumelelanga. Zama futhi emva kwesikhathi esingu-{ $wait }. Isiphequluli oke wangena kuso asilindiswa ngabantu obangabazi.
sign-out-button = Phuma

places-title = Amabhizinisi akho
places-empty-title = Awukho ebhizinisini
places-empty = Olilawulayo angakumema nge-imeyili.
places-open = Vula ideski


field-code-wrong = Le khodi ayilungile, noma seyasetshenziswa; faka entsha kunazo zonke
field-password-wrong = Le phasiwedi ayilungile
field-password-of-account = Usunayo i-akhawunti yaleli kheli; faka iphasiwedi yayo
field-business-missing = Faka igama lebhizinisi lakho
field-address-missing = Faka lapho amakhasimende akho eza khona
field-kind-missing = Khetha okusondelene nebhizinisi lakho
field-slug-shape = Sebenzisa izinhlamvu ezincane, izinombolo namahayifeni angawodwana, uqale ngohlamvu
field-slug-taken = Leli kheli selithathiwe; i-{ $suggestion } isakhululekile

continue-button = Qhubeka
step-later = Imizamo eminingi ayiphumelelanga. Zama futhi emva kwesikhathi esingu-{ $wait }.
code-title = Faka ikhodi yakho
code-lede = Vula uhlelo lwakho lwamakhodi bese ufaka izinombolo eziyisithupha ze-Booking.
code-label = Ikhodi
code-hint = Uma ulahlekelwe yifoni, faka eyodwa yamakhodi akho okubuyisela.
password-again-title = Iphasiwedi yakho, siyacela
password-again-lede = Okulandelayo kubalulekile, ngakho sibuza futhi ukuthi ungubani.

sign-in-forgot = Ukhohlwe iphasiwedi?
sign-in-new = Umusha lapha?
forgot-title = Ukhohlwe iphasiwedi?
forgot-lede = Sikuthumelela isixhumanisi sokukhetha enye.
forgot-button = Thumela isixhumanisi
forgot-sent-title = Bheka i-imeyili yakho
forgot-sent = Uma ikhona i-akhawunti yaleli kheli, isixhumanisi siyeza. Sisebenza imizuzu engu-30.
new-password-title = Khetha iphasiwedi entsha
new-password-lede = Uzokhishwa kuzo zonke ezinye izindawo.
new-password-label = Iphasiwedi entsha
new-password-button = Setha iphasiwedi
password-hint = Okungenani izinhlamvu ezingu-12. Umusho omfushane kulula ukuwukhumbula.
password-show = Bonisa iphasiwedi
password-strength-short = Imfushane kakhulu: kudingeka izinhlamvu okungenani ezingu-12
password-strength-weak = Yinde ngokwanele, kodwa kulula ukuyiqagela: igama elilodwa, noma okuningi okuphindaphindayo noma okulandelanayo
password-strength-good = Inhle, ngaphandle uma kuyigama elaziwayo
password-strength-strong = Inhle kakhulu
link-over-title = Lesi sixhumanisi asisasebenzi
link-over = Sesisetshenzisiwe, noma sesidala. Cela esisha lapho usithole khona.

start-title = Qala ikhasi lakho lokubhukha
start-lede = Ngemizuzu embalwa uzoba nekhasi elingabhukhwa. Ungashintsha konke kamuva.
start-business = Igama lebhizinisi lakho
start-address = Ikheli
start-address-hint = Lapho amakhasimende akho eza khona.
start-slug = Ikheli lekhasi lakho
start-slug-hint = Njenge-karoo-cuts. Uma ulishiya, sizolenza ngegama.
start-kind = Uhlobo luni lwebhizinisi?
start-name = Igama lakho
start-email-hint = Ngalo uyangena, futhi silobela kulo.
start-button = Yenza ikhasi lami
start-privacy = Akekho omunye othola imininingwane yakho. Ikhasi lakho alikho ohlwini uze ulandele isixhumanisi esise-imeyilini yethu.
kind-hair = Izinwele nokugunda
kind-beauty = Ubuhle nokubhucunga
kind-health = Ezempilo
kind-lessons = Izifundo nokuqeqesha
kind-other = Okunye
service-cut = Ukugunda
service-cut-and-wash = Ukugeza nokugunda
service-colour = Umbala
service-manicure = Ukunakekela izandla
service-facial = Ukunakekela ubuso
service-massage = Ukubhucunga
service-first-visit = Ukuvakasha kokuqala
service-follow-up = Ukulandelela
service-trial-lesson = Isifundo sokuzama
service-lesson = Isifundo
service-appointment = Isikhathi sokubonana
service-long-appointment = Isikhathi eside sokubonana
confirm-title = Qinisekisa ikheli lakho
confirm-lede = Faka iphasiwedi yakho, ikhasi lakho lizofakwa ohlwini.
confirm-hint = Uma wawunayo i-akhawunti yaleli kheli ngaphambili, faka iphasiwedi yaleyo.
confirm-button = Qinisekisa
confirm-not-you = Uma ungaqalanga lutho lapha, vala leli khasi; akwenzeki lutho.

account-title = I-akhawunti yakho
account-name = Igama
account-change = Shintsha
account-codes = Uhlelo lwamakhodi
account-codes-on = Luvuliwe
account-codes-off = Luvaliwe
account-unconfirmed-title = Qinisekisa ikheli lakho
account-unconfirmed = Sithumele isixhumanisi ku-{ $email }. Uze usilandele, ikhasi lakho alikho ohlwini, futhi ungangena kulesi siphequluli kuphela.
account-confirm-again = Thumela isixhumanisi futhi
account-sessions = Lapho ungene khona
account-this = (lapha)
account-seen = Igcine ukusetshenziswa ngo-{ $when }
account-end = Phuma
account-end-others = Phuma kuzo zonke ezinye izindawo

codes-title = Uhlelo lwamakhodi
codes-lede = Ngohlelo lwamakhodi efonini yakho, iphasiwedi iyodwa ayingenisi muntu.
codes-picture = Isithombe sekhamera yohlelo lwakho lwamakhodi
codes-by-hand = Noma uthayiphe lokhu ohlelweni:
codes-first = Izinombolo eziyisithupha eziboniswa uhlelo manje.
codes-button = Luvule
codes-works = Luyasebenza. Kusukela manje sizocela ikhodi uma ungena.
codes-recovery-title = Amakhodi okubuyisela
codes-recovery = Wagcine lapho engatholwa omunye. Ngayinye ikungenisa kanye uma ifoni yakho ilahlekile. Aboniswa manje kuphela.
codes-kept = Ngiwagcinile
codes-on = Uhlelo lwakho lwamakhodi luvuliwe. Ngaphandle kwalo, iphasiwedi iyodwa evikela i-akhawunti yakho.
codes-remove = Luvale

passkeys-title = Okhiye bokungena
passkeys-lede = Ngokhiye wokungena ungena njengoba uvula ifoni noma ikhompyutha yakho: ngomunwe, ngobuso noma nge-PIN yayo. Akukho okuthayiphayo, futhi akukho ikhasi mbumbulu elingakuthola kuwe.
passkeys-yours = Okwakho
passkeys-added = Wengezwe ngo-{ $when }
passkeys-remove = Susa
passkeys-name = Igama
passkeys-name-hint = Ukuze uwazi futhi, njengedivayisi okuyo.
passkeys-add = Engeza ukhiye wokungena
passkeys-without = Ukuze wengeze ukhiye wokungena, iskripthi saleli khasi kufanele sisebenze, kusiphequluli esazi okhiye bokungena. Konke okunye lapha kuyasebenza ngaphandle kwaso.
passkeys-failed = Akwenzekanga lutho: kukhanseliwe, kuthathe isikhathi eside, noma le divayisi ayinawo ukhiye wokungena walokhu. Ungazama futhi.
passkeys-refused-title = Akusebenzanga
passkeys-refused = Lo khiye wokungena awengezwanga. Zama futhi kuleli khasi; lowo ogcinwe yidivayisi yakho ungasuswa khona.
passkeys-enough = Unokhiye bokungena abaningi ngangokunokwenzeka. Susa owodwa kuqala.
passkeys-unconfirmed = Landela kuqala isixhumanisi esikwimeyili yethu; emva kwalokho ungengeza okhiye bokungena.
passkeys-password = Iphasiwedi yakho isakungenisa. Ukhiye wokungena umele iphasiwedi nekhodi yohlelo lwakho lwamakhodi.
account-passkeys = { $count ->
    [0] Awekho
    [one] Owodwa
   *[other] { $count }
}
sign-in-passkey = Ngena ngokhiye wokungena
sign-in-passkey-refused = Lo khiye wokungena awamukelwanga. Zama futhi, noma ungene ngephasiwedi yakho.
sign-in-passkey-without = Ukhiye wokungena udinga iskripthi; iphasiwedi yakho isebenza ngaphandle kwaso.

invitation-title = I-{ $business } iyakumema
invitation-lede = Lesi simemo singesika-{ $email }.
invitation-password-hint = Okungenani izinhlamvu ezingu-12; noma iphasiwedi ye-akhawunti osunayo.
invitation-button = Yamukela
members-title = Abantu
members-you = (wena)
members-role-of = Indima ka-{ $name }
members-change = Shintsha indima
members-remove = Susa
members-invited = Umenyiwe, akakafiki
members-withdraw = Hoxisa
members-invite-title = Mema othile
members-invite-hint = Sithumela isixhumanisi esisebenza izinsuku eziyisikhombisa.
members-invite = Mema
members-last-owner = Ibhizinisi lihlala linomnikazi; qala wenze omunye umnikazi
members-confirm-first = Qala ulandele isixhumanisi esisemeyilini yethu kuwe; bese ungamema abanye

welcome-title = Ikhasi lakho selilungile
welcome-lede = I-{ $business } ingabhukhwa manje. Zizamele wena.
welcome-unconfirmed = Landela isixhumanisi esise-imeyilini yethu, ikhasi lakho lizofakwa ohlwini lwabo bonke.
welcome-next = Okulandelayo
welcome-members = Mema abantu bakho
welcome-members-about = Ozakwenu abanamakhalenda abo, noma abamukeli babo bonke.
welcome-offer = Bheka izinsizakalo namahora
welcome-offer-about = Oqala ngakho kuyisiphakamiso.
welcome-passkey = Ngena ngomunwe noma ngobuso
welcome-passkey-about = Ukhiye wokungena efonini noma kukhompyutha yakho: akukho ukuthayipha, futhi akukho okungatholwa ikhasi mbumbulu.
welcome-codes = Vikela i-akhawunti yakho
welcome-codes-about = Uhlelo lwamakhodi luvimba abangaziwa abayaziyo iphasiwedi yakho.
welcome-embed-title = Kuwebhusayithi yakho
welcome-embed-link = Isixhumanisi, esisebenza yonke indawo:
welcome-embed-frame = Noma ifreyimu enezikhathi ezilandelayo ezikhululekile:
welcome-embed-words = Bhukha isikhathi
desk-welcome = Izinyathelo zokuqala, newebhusayithi yakho
embed-title = Izikhathi ezilandelayo ezikhululekile e-{ $business }
embed-none = Akukho okukhululekile ezinsukwini ezizayo.
embed-all = Bona zonke izikhathi
desk-role = Indima
