# Aanmeld, die raam van die toonbank, en wat ’n rekening beveilig.

role-owner = Eienaar
role-manager = Bestuurder
role-staff = Personeel
role-front-desk = Ontvangs

field-password-missing = Vul jou wagwoord in
field-password-short = Kies ’n wagwoord van minstens { $min } karakters; ’n kort sin is goed
field-password-long = Kies ’n wagwoord van hoogstens { $max } karakters
field-password-guessable = Kies ’n wagwoord wat moeiliker is om te raai; hierdie een word eerste probeer

account-email = E-pos
account-password = Wagwoord
account-for-businesses = Vir besighede

sign-in-title = Meld aan
sign-in-lede = By die toonbank van jou besigheid.
sign-in-button = Meld aan
sign-in-refused-title = Dit het nie gewerk nie
sign-in-refused = Die e-posadres of die wagwoord is nie reg nie. As jy pas geregistreer het, volg eers die skakel in ons e-pos.
sign-in-later-title = Wag asseblief ’n bietjie
sign-in-later = Te veel pogings het misluk. Probeer weer oor { $wait }. ’n Blaaier waarin jy al aangemeld het, wag nie vir vreemdelinge nie.
sign-out-button = Meld af

places-title = Jou besighede
places-empty-title = Jy behoort aan geen besigheid nie
places-empty = Wie dit bestuur, kan jou per e-pos nooi.
places-open = Maak die toonbank oop

desk-title = Toonbank
desk-signed-in = Aangemeld
desk-role = Rol
desk-see-page = Sien die openbare bladsy
desk-demonstration-title = ’n Demonstrasie
desk-demonstration = Hierdie rekening en sy wagwoord is openbaar. Niks hier behoort aan iemand nie.
