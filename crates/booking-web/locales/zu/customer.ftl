# Customers, as the desk keeps them.

customers-title = Amakhasimende
customers-new = Ikhasimende elisha
customers-search = Igama, ucingo noma i-imeyili
customers-find = Thola
customers-newest = Amasha kakhulu
customers-found = { $count ->
    [1] Kutholwe ikhasimende elilodwa
   *[other] Kutholwe amakhasimende angu-{ $count }
}
customers-none-title = Akekho otholakele
customers-none = Zama ingxenye yegama, noma izinombolo zokugcina zocingo.

customer-name = Igama nesibongo
customer-details = Imininingwane
customer-bookings = Okubhukhiwe
customer-history = Okushintshiwe
customer-told = Abakutsheliwe nabavumelene nakho
told-page = Uboniswe ekhasini ukuthi imininingwane yakhe isetshenziselwa ini ({ $notice })
told-phone = Utshelwe ngocingo ukuthi imininingwane yakhe isetshenziselwa ini ({ $notice })
told-walk-in = Utshelwe lapho efika ukuthi imininingwane yakhe isetshenziselwa ini ({ $notice })
told-api = Uhlelo lubonise ukuthi imininingwane yakhe isetshenziselwa ini ({ $notice })
told-news-yes = Ufuna izindaba neziphakamiso ({ $notice })
told-news-no = Akasafuni izindaba neziphakamiso ({ $notice })
customer-missed = { $count ->
    [1] Akafikanga kanye
   *[other] Akafikanga izikhathi ezingu-{ $count }
}
customer-email-taken = Elinye ikhasimende linaleli kheli. Lithole, noma uhlanganise womabili.
customer-restricted = Okokubhukha kwalo kuphela
customer-restricted-hint = Licele ukuthi imininingwane yalo ingasetshenziselwa okunye.
customer-merge = Hlanganisa nelinye irekhodi
customer-privacy = Abakubuzayo ngolwazi lwabo

merge-title = Hlanganisa amarekhodi amabili
merge-lede = Ubani ongumuntu ofanayo no-{ $name }?
merge-what = Okuzokwenzeka
merge-stays = { $name } uyasala, nale mininingwane.
merge-bookings = { $count ->
    [0] { $name } akanakho ukubhukha okuzodluliselwa.
    [1] Ukubhukha okukodwa kuka-{ $name } kuyadluliselwa.
   *[other] Ukubhukha okungu-{ $count } kuka-{ $name } kuyadluliselwa.
}
merge-goes = Elinye irekhodi lika-{ $name } ngeke lisatholakala. Ikheli lalo liholela kwelisalayo.
merge-privacy = Ubumfihlo
merge-for-good = Lokhu ngeke kuhlehliswe.
merge-do = Hlanganisa
