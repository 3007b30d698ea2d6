# Visits that repeat.

booked-repeat = Herhaal dit
series-title = Herhaal die bespreking
series-lede = { $service } by { $business }, { $time }, en weer:
series-every = Hoe gereeld
series-week = Elke week
series-fortnight = Elke tweede week
series-month = Elke maand
series-count = Hoeveel keer meer
series-count-range = Gee ’n getal van 1 tot { $max }
series-every-missing = Kies hoe gereeld
series-look = Kyk na die tye
series-plan = Die tye
series-nothing-yet = Niks is nog bespreek nie. Elke tyd behou sy uur op die horlosie.
series-all-free = Almal is vry.
series-taken = { $count ->
    [one] Een daarvan kan nie gekry word nie. Kies ’n ander tyd daarvoor, of laat dit uit.
   *[other] { $count } daarvan kan nie gekry word nie. Kies ander tye daarvoor, of laat hulle uit.
}
series-free = Vry
series-not-free = Kan nie gekry word nie
series-skip = Laat hierdie een uit
series-yes = Bespreek die gekose tye
series-none-chosen = Kies ten minste een tyd
series-done-title = Bespreek
series-done = { $count ->
    [one] Een besoek is bespreek.
   *[other] { $count } besoeke is bespreek.
}
series-done-gone = Iemand was vinniger met hierdie. Hulle is nie bespreek nie:
series-back = Terug na die bespreking
cancel-rest = { $count ->
    [one] Ook die besoek van hierdie reeks wat daarna kom
   *[other] Ook die { $count } besoeke van hierdie reeks wat daarna kom
}
cancel-rest-hint = Elkeen kos wat sy eie kennisgewing dit laat kos.
