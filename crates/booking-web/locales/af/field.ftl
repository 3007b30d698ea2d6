# What to do about a field that needs another value.

field-start-missing = Kies ’n tyd
field-start-unknown = Kies een van die tye wat aangebied word
field-name-missing = Vul jou volle naam in
field-name-length = Vul ’n naam van hoogstens { $max } letters in
field-email-missing = Vul jou e-posadres in
field-email-shape = Vul ’n e-posadres in, soos name@example.com
field-phone-shape = Vul ’n telefoonnommer in, soos 082 123 4567 of +27 82 123 4567
field-note-length = Verkort dit tot { $max } letters
field-note-control = Laat karakters weg wat nie gedruk kan word nie
field-number-range = Tik ’n heelgetal van { $min } tot { $max }
field-price-shape = Tik ’n bedrag soos 350 of 350,50
field-line = Tik dit in, met hoogstens { $max } letters
