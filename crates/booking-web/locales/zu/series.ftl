# Visits that repeat.

booked-repeat = Kuphinde
series-title = Phinda ukubhukha
series-lede = { $service } ku-{ $business }, { $time }, futhi:
series-every = Kangaki
series-week = Njalo ngesonto
series-fortnight = Njalo ngemva kwamasonto amabili
series-month = Njalo ngenyanga
series-count = Izikhathi ezingaki futhi
series-count-range = Nikeza inombolo kusuka ku-1 kuya ku-{ $max }
series-every-missing = Khetha ukuthi kangaki
series-look = Buka izikhathi
series-plan = Izikhathi
series-nothing-yet = Akukabhukhwa lutho. Isikhathi ngasinye sigcina ihora laso ewashini.
series-all-free = Zonke zikhululekile.
series-taken = { $count ->
    [one] Esisodwa asitholakali. Khetha esinye isikhathi, noma usishiye.
   *[other] Ezingu-{ $count } azitholakali. Khetha ezinye izikhathi, noma uzishiye.
}
series-free = Sikhululekile
series-not-free = Asitholakali
series-skip = Shiya lesi
series-yes = Bhukha izikhathi ezikhethiwe
series-none-chosen = Khetha okungenani isikhathi esisodwa
series-done-title = Kubhukhiwe
series-done = { $count ->
    [one] Kubhukhwe ukuvakasha okukodwa.
   *[other] Kubhukhwe ukuvakasha okungu-{ $count }.
}
series-done-gone = Omunye ubeshesha ngalezi. Azibhukhiwe:
series-back = Buyela ekubhukheni
cancel-rest = { $count ->
    [one] Nokuvakasha kwalolu chungechunge okulandelayo
   *[other] Nokuvakasha okungu-{ $count } kwalolu chungechunge okulandelayo
}
cancel-rest-hint = Ngakunye kubiza lokho okunqunywa yisikhathi sakho sokwazisa.
