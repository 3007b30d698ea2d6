# The first page, and the page of a business.

home-title = Bhukha isikhathi esikulungele
home-heading = Bhukha isikhathi esikulungele.
home-lede = Khetha ibhizinisi, khetha isikhathi esikhululekile, bese uqedile. Kuthatha isikhathi esingaphansi komzuzu, futhi ungakhansela ngelinki yakho.
home-open = Avulelwe ukubhukha
home-empty-title = Alikho ibhizinisi elivulelwe ukubhukha okwamanje
home-empty = Uma elokuqala selishicilele izinsizakalo zalo, uzolithola lapha.
home-see-services = Bona izinsizakalo
home-all = Wonke amabhizinisi

business-description = Bhukha isikhathi e-{ $business }.
business-what = Ungathanda ukubhukha ini?
business-empty-title = Akukho okungabhukhwa lapha okwamanje
business-empty = I-{ $business } ayikashicileli zinsizakalo. Sicela ubuye uzobheka futhi kamuva.
business-about = Mayelana ne-{ $business }
business-zone = Zonke izikhathi zikulolu hlobo lwesikhathi: { $zone }.
