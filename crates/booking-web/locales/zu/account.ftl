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

desk-title = Ideski
desk-signed-in = Ongenile
desk-role = Indima
desk-see-page = Bona ikhasi lomphakathi
desk-demonstration-title = Umboniso
desk-demonstration = Le akhawunti nephasiwedi yayo kuyaziwa yiwo wonke umuntu. Akukho lutho lapha olungolomuntu.
