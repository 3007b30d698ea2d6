# Mail and text messages, and the page that ends reminders. $moment is a "date-and-clock",
# $day a "date-on".

mail-confirmed-subject = Usubhukhile: { $moment }, { $business }
mail-moved-subject = Isikhathi esisha: { $moment }, { $business }
mail-moved-title = Ukubhukha kwakho kunesikhathi esisha
mail-moved-lede = I-{ $business } manje ikulindele { $day } ngo-{ $clock }.
mail-reminder-subject = Isikhumbuzo: { $moment }, { $business }
mail-reminder-title = Isikhathi sakho sesisondele
mail-cancelled-subject = Kukhanseliwe: { $moment }, { $business }
mail-cancelled-by-you = Njengoba ucelile, isikhathi sakho { $day } ngo-{ $clock } sikhanseliwe.
mail-cancelled-by-business = I-{ $business } kudingeke ikhansele isikhathi sakho { $day } ngo-{ $clock }. Siyaxolisa.
mail-cancelled-all-subject = Kukhanseliwe: izikhathi ezingu-{ $count }, { $business }
mail-cancelled-all-by-you = Njengoba ucelile, izikhathi zakho ezingu-{ $count } e-{ $business } ezingezansi zikhanseliwe.
mail-cancelled-all-by-business = I-{ $business } kudingeke ikhansele izikhathi zakho ezingu-{ $count } ezingezansi. Siyaxolisa.
fact-your-time = Isikhathi sakho
mail-see = Bona noma ushintshe ukubhukha kwakho
# Instead of the service, where its name would tell too much.
mail-appointment = Isikhathi esibhukhiwe
mail-no-reminders = Azisekho izikhumbuzo nge-imeyili
mail-no-text-messages = Azikho izikhumbuzo nge-SMS

mail-alarm-remind = Asikwazanga ukukhumbuza u-{ $name }
mail-alarm-write = Asikwazanga ukubhalela u-{ $name }
mail-alarm-lede = Sicela ushayele u-{ $name } ucingo uma isikhathi sakhe sincike kulokho.
mail-why = Isizathu

mail-reset-subject = Khetha iphasiwedi entsha
mail-reset-lede = Othile ucele iphasiwedi entsha ye-akhawunti yakho.
mail-confirm-subject = Qinisekisa ikheli lakho
mail-confirm-lede = Othile, cishe nguwe, unikeze leli kheli le-akhawunti.
mail-confirm-action = Qinisekisa leli kheli
mail-invitation-subject = I-{ $business } iyakumema
mail-invitation-lede = Umenyiwe ukusebenza ne-{ $business } lapha.
mail-invitation-action = Yamukela isimemo
mail-leave = Uma ungazi ukuthi lokhu kumayelana nani, kuyeke: akukho okuzokwenzeka.

# As short as it can be: $moment is a short date with the time.
sms-reminder = { $business }: isikhumbuzo sesikhathi sakho, { $moment }. { $url }

unsubscribe-title = Misa izikhumbuzo?
unsubscribe-email = I-{ $business } ikukhumbuza izikhathi zakho nge-imeyili. Ungakumisa lokho lapha; usazokwaziswa uma ukubhukha kwenziwa, kususwa noma kukhanselwa.
unsubscribe-sms = I-{ $business } ikukhumbuza izikhathi zakho nge-SMS. Ungakumisa lokho lapha; usazokwaziswa uma ukubhukha kwenziwa, kususwa noma kukhanselwa.
unsubscribe-yes = Azisekho izikhumbuzo
unsubscribed-title = Azisekho izikhumbuzo
unsubscribed-email = I-{ $business } ngeke isakuthumelela izikhumbuzo nge-imeyili. Usazokwaziswa uma ukubhukha kwenziwa, kususwa noma kukhanselwa.
unsubscribed-sms = I-{ $business } ngeke isakuthumelela izikhumbuzo nge-SMS. Usazokwaziswa uma ukubhukha kwenziwa, kususwa noma kukhanselwa.
mail-changed-subject = Iphasiwedi yakho ishintshiwe
mail-changed-lede = Iphasiwedi ye-akhawunti yakho isingenye manje, kanti amanye amaseshini avaliwe. Uma kungewena, khetha enye ngokushesha. Uma isethwe ngesixhumanisi esiku-imeyili, okhiye bokungena basusiwe futhi, bangangezwa futhi.
mail-changed-action = Khetha iphasiwedi entsha
mail-codes-subject = Isinyathelo sakho sesibili sokungena sishintshiwe
mail-codes-on = Kusukela manje kudingeka uhlelo lwamakhodi kanye nephasiwedi ye-akhawunti yakho. Uma kungewena, qeda ezinye izikhathi zokungena bese ukhetha enye iphasiwedi khona manje.
mail-codes-off = Uhlelo lwamakhodi lwe-akhawunti yakho lususiwe: iphasiwedi iyodwa iyakungenisa. Uma kungewena, khetha enye iphasiwedi khona manje.
mail-codes-action = Bona i-akhawunti yakho
mail-passkey-subject = Okhiye bakho bokungena bashintshiwe
mail-passkey-on = Ukhiye wokungena wengezwe ku-akhawunti yakho: onawo ungena ngaphandle kwephasiwedi yakho. Uma kungewena, wususe, qeda ezinye izikhathi zokungena bese ukhetha enye iphasiwedi khona manje.
mail-passkey-off = Ukhiye wokungena we-akhawunti yakho ususiwe. Uma kungewena, qeda ezinye izikhathi zokungena bese ukhetha enye iphasiwedi khona manje.
