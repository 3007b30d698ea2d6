# What to do about a field that needs another value.

field-start-missing = Khetha isikhathi
field-start-unknown = Khetha esisodwa kwezikhathi ezikhona lapha
field-name-missing = Faka igama nesibongo sakho
field-name-length = Faka igama elingenazo izinhlamvu ezingaphezu kuka-{ $max }
field-email-missing = Faka ikheli lakho le-imeyili
field-email-shape = Faka ikheli le-imeyili elibhalwe kanje: name@example.com
field-phone-shape = Faka inombolo yocingo enjengo-082 123 4567 noma +27 82 123 4567
field-note-length = Fushanisa lokhu kube izinhlamvu ezingu-{ $max }
field-note-control = Susa izinhlamvu ezingaphrinteki
field-number-range = Faka inombolo ephelele kusuka ku-{ $min } kuya ku-{ $max }
field-price-shape = Faka inani elifana no-350 noma 350.50
field-line = Faka lokhu, ngezinhlamvu ezingeqi ku-{ $max }
