# Customers, as the desk keeps them.

customers-title = Kliënte
customers-new = Nuwe kliënt
customers-search = Naam, telefoon of e-pos
customers-find = Soek
customers-newest = Nuutste
customers-found = { $count ->
    [one] Een kliënt gevind
   *[other] { $count } kliënte gevind
}
customers-none-title = Niemand gevind nie
customers-none = Probeer ’n deel van die naam, of die laaste syfers van die telefoonnommer.

customer-name = Volle naam
customer-details = Besonderhede
customer-bookings = Besprekings
customer-history = Wat verander is
customer-told = Wat aan hulle gesê is en waarmee hulle saamgestem het
told-page = Is op ’n bladsy gewys waarvoor hul data gebruik word ({ $notice })
told-phone = Is per telefoon vertel waarvoor hul data gebruik word ({ $notice })
told-walk-in = Is by aankoms vertel waarvoor hul data gebruik word ({ $notice })
told-api = ’n Program het gewys waarvoor hul data gebruik word ({ $notice })
told-news-yes = Wil nuus en aanbiedings hê ({ $notice })
told-news-no = Wil nie meer nuus en aanbiedings hê nie ({ $notice })
customer-missed = { $count ->
    [one] Het een keer nie gekom nie
   *[other] Het { $count } keer nie gekom nie
}
customer-email-taken = ’n Ander kliënt het hierdie adres. Soek hulle, of voeg die twee saam.
customer-restricted = Slegs vir hul besprekings
customer-restricted-hint = Hulle het gevra dat hul besonderhede vir niks anders gebruik word nie.
customer-merge = Voeg saam met ’n ander rekord
customer-privacy = Wat hulle oor hul data vra

merge-title = Voeg twee rekords saam
merge-lede = Wie is dieselfde persoon as { $name }?
merge-what = Wat gaan gebeur
merge-stays = { $name } bly, met hierdie besonderhede.
merge-bookings = { $count ->
    [0] { $name } het geen besprekings om oor te dra nie.
    [one] Een bespreking van { $name } word oorgedra.
   *[other] { $count } besprekings van { $name } word oorgedra.
}
merge-goes = Die ander rekord van { $name } word nie meer gevind nie. Sy adres lei na die een wat bly.
merge-privacy = Privaatheid
merge-for-good = Dit kan nie ongedaan gemaak word nie.
merge-do = Voeg saam
