# The first page, and the page of a business.

home-title = Bespreek ’n tyd wat jou pas
home-heading = Bespreek ’n tyd wat jou pas.
home-lede = Kies ’n besigheid, kies ’n vry tyd, en jy is klaar. Dit neem minder as ’n minuut, en jy kan met jou eie skakel kanselleer.
home-open = Oop vir besprekings
home-empty-title = Nog geen besigheid is oop vir besprekings nie
home-empty = Sodra die eerste een sy dienste bekend maak, vind jy dit hier.
home-see-services = Sien dienste
home-all = Alle besighede

business-description = Bespreek ’n tyd by { $business }.
business-what = Wat wil jy bespreek?
business-empty-title = Hier kan nog niks bespreek word nie
business-empty = { $business } het nog geen dienste bekend gemaak nie. Kom kyk asseblief later weer.
business-about = Oor { $business }
business-zone = Alle tye is in { $zone }.
