"""Sentences that the tiny encoders of these tests know."""

SENTENCES = (
    "The delivery was late and nobody answered my calls",
    "I love this shop, the staff are kind and helpful",
    "التوصيل كان متأخرا ولم يرد أحد على مكالماتي",
    "أحب هذا المتجر والموظفون لطفاء",
    "ارسال دیر شد و کسی تلفن را جواب نداد",
    "این فروشگاه را دوست دارم و کارکنان مهربان هستند",
)
