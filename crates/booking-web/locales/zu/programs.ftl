# Okhiye, amakhalenda nama-webhook: lokho izinhlelo zebhizinisi ezisebenza ngakho.

programs-title = Izinhlelo
programs-parts = Izinhlobo zokungena
programs-once = Kukopishe manje. Ngeke kuphinde kuboniswe.
programs-used = Kugcine ukusetshenziswa { $when }
programs-unused = Akukaze kusetshenziswe
programs-made = Kwenziwe { $when }
programs-ended = Akusasebenzi
programs-until = Kuze kube { $when }

keys-title = Okhiye
keys-lede = Ukhiye uvumela uhlelo lwakho lubone noma luguqule lokho okuvumela lapha.
keys-none-title = Abekho okhiye okwamanje
keys-none = Yenza owodwa uma uhlelo luwucela.
keys-new = Ukhiye omusha
keys-name = Owani
keys-scopes = Lokho ongakwenza
keys-scopes-missing = Khetha okungenani into eyodwa ongayenza
keys-shown = Ukhiye wakho omusha
keys-make = Yenza ukhiye
keys-revoke = Hoxisa
scope-read-bookings = Bona ukubhuka
scope-write-bookings = Khansela ukubhuka
scope-read-customers = Bona ukuthi amakhasimende angobani
scope-manage-keys = Yenza okhiye abangavumeli okungaphezu kwawo
scope-manage-feeds = Yenza amakheli amakhalenda
scope-manage-webhooks = Engeza ama-webhook

feeds-title = Amakhalenda
feeds-lede = Ikheli eliyimfihlo uhlelo lwekhalenda olubonisa kulo ukubhuka kwakho. Noma ubani olaziyo uyakubona.
feeds-none-title = Awekho amakhalenda okwamanje
feeds-none = Yenza ikheli bese ulifaka ohlelweni lwakho lwekhalenda.
feeds-new = Ikhalenda elisha
feeds-whose = Ukubhuka kukabani
feeds-everybody = Kwabo bonke
feeds-names = Amagama amakhasimende
feeds-names-short = Igama nonobumba wokuqala wesibongo
feeds-names-initials = Onobumba bokuqala
feeds-names-none = Lutho
feeds-shown = Ikheli lekhalenda lakho
feeds-make = Yenza ikheli
feeds-renew = Ikheli elisha
feeds-revoke = Cisha

hooks-title = Ama-webhook
hooks-lede = Amakheli ezinhlelo zakho ezibizwayo uma kukhona okwenzeka ekubhukeni. Ukubiza ngakunye kunesiginesha.
hooks-none-title = Awekho ama-webhook okwamanje
hooks-none = Engeza ikheli lohlelo olufuna ukwazi khona manje.
hooks-new = I-webhook entsha
hooks-address = Ikheli
hooks-address-hint = Liqala ngo-https:// futhi liyafinyeleleka nge-inthanethi.
hooks-address-wrong = Faka ikheli elifana no-https://example.com/bookings
hooks-address-unknown = Hlola igama elisekhelini: alikho lapho liya khona
hooks-address-private = Faka ikheli elifinyeleleka nge-inthanethi
hooks-too-many = Qala ngokucisha eyodwa: sekukhona ama-webhook anele
hooks-events = Ibizwa uma ukubhuka
hooks-events-hint = Ungakhethi lutho ukuze uzwe ngakho konke.
hooks-everything = Konke
hooks-add = Engeza i-webhook
hooks-secret = Imfihlo esayina ukubiza
hooks-off = Kucishiwe
hooks-switch-off = Cisha
hooks-switch-on = Vula
hooks-rotate = Imfihlo entsha
hooks-rotate-hint = Usuku lonke ukubiza kusayinwa nangemfihlo endala, ukuze uhlelo lwakho lushintshe.
hooks-ping = Thumela isivivinyo
hooks-calls = Ukubiza kwakamuva
hooks-calls-none = Ayikabizwa.
hooks-again = Biza futhi
hooks-failures = { $count ->
    [one] kuhluleke kanye
   *[other] kuhluleke izikhathi ezingu-{ $count }
}
hook-confirmed = kuqinisekisiwe
hook-moved = kuhanjisiwe
hook-cancelled = kukhanseliwe
hook-arrived = kuqalile: ikhasimende selifikile
hook-arrival-undone = akuqalanga empeleni
hook-completed = kuqediwe
hook-no-show = ikhasimende alifikanga
hook-no-show-undone = ikhasimende lifikile empeleni
hook-ping = isivivinyo
call-waiting = Kulindile
call-sent = Kwamukelwe
call-dropped = Akuthunyelwanga
call-dead = Kuyekiwe
