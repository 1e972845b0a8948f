"""What can be said of resources, and what is refused."""

from __future__ import annotations

import pytest

from stackyard.resources import ResourceError, canonical, parse
from stackyard.resources.fields import EXACT
from stackyard.resources.names import LONGEST

LONG = "x" * LONGEST


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("product name", "product/products name:string{0..255}"),
        ("product:name,price:decimal", "product/products name:string{0..255} price:decimal{12.2}"),
        ("product:state:enum{a,b},day:date", "product/products state:enum{a,b} day:date"),
        ("product state:enum{a, b}", "product/products state:enum{a,b}"),
        ("product price:decimal{10,2}!", "product/products price:decimal{10.2}!"),
        ("product name:string{9}!", "product/products name:string{0..9}!"),
        ("product size:integer{1..}", f"product/products size:integer{{1..{EXACT}}}"),
        ("product size:integer{..-1}", f"product/products size:integer{{{-EXACT}..-1}}"),
        ("product sku:uniq", "product/products sku:string{0..255}:uniq"),
        ("product sku!:uniq", "product/products sku:string{0..255}!:uniq"),
        ("product sku:index", "product/products sku:string{0..255}:index"),
        ("product at:datetime!:index", "product/products at:datetime!:index"),
        ("product:at:datetime,code:uuid:uniq", "product/products at:datetime code:uuid:uniq"),
        ("product sent:email site:url", "product/products sent:email site:url{2000}"),
        ("product share:float ratio:float{0..}", "product/products share:float ratio:float{0..}"),
        ("product attributes:json!", "product/products attributes:json!"),
        ("person/people name", "person/people name:string{0..255}"),
        ("order_item name", "order_item/order_items name:string{0..255}"),
        ("category note:text", "category/categories note:text{0..10000}"),
        (
            "product category:references sku; category name",
            "category/categories name:string{0..255};"
            " product/products category:references{category} sku:string{0..255}",
        ),
        ("a1 note:text; b1 day:date", "a1/a1s note:text{0..10000}; b1/b1s day:date"),
        ("a1 day:date; +a1 note:text", "a1/a1s day:date; +a1 note:text{0..10000}"),
        ("a1 day:date; b1 x; -a1", "a1/a1s day:date; b1/b1s x:string{0..255}; -a1"),
    ],
)
def test_what_is_said_has_one_form(said: str, told: str) -> None:
    assert canonical([said]) == told
    assert canonical([told]) == told


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("product", "has no fields; put all of it in single quotes"),
        ("product state:enumdraft", "if a shell has changed it, put all of it in single quotes"),
        (r"product name:string\!", "backslash; put all of it in single quotes"),
        ("product name:", "it is no field"),
        ("product name:uniq!", "it is no field"),
        ("product name:varchar", "'varchar' is no type; there are string, text"),
        ("product name; pat x owner:references", "no resource 'owner' to name a row of"),
        ("cat x; pat y cat:references!:uniq", "cannot be required and unique yet"),
        ("cat x cat:references!", "so there is no first"),
        ("cat x; pat cat:references:index", "has an index already"),
        ("cat x; pat cat:references{a-b}", "{a-b} is no resource's name"),
        ("cat x; pat cat_id:integer cat:references", "has it twice"),
        ("cat x; pat cat:string cat:references", "has it twice"),
        ("cat x; pat cat:references y; -cat", "pat names rows of it"),
        ("cat x; pat cat:references", "nothing of its own"),
        ("product name date:date", "something else of that name"),
        ("product class", "Python's own"),
        ("product l", "read as a digit"),
        ("i name", "read as a digit"),
        ("product order", "SQL's own"),
        ("product id:integer", "has one already"),
        ("product page:integer", "lists have a parameter"),
        ("product size:integer size_from:date", "narrowed by that parameter"),
        ("product name name", "has it twice"),
        ("product name; product sku", "told twice"),
        ("product name; product_page name", "called as one of product"),
        ("product page_count; product_page count", "called as one of product"),
        ("product a1 a_1", "called as that of another field"),
        ("product Name", "say name"),
        ("product übung", "say ubung"),
        ("LineItem name", "say line_item"),
        ("class_ name", "a-z, 0-9 and single _"),
        (f"product {'x' * 41}", "40 letters at most"),
        (f"{LONG[:30]} {LONG}", "longer than"),
        ("race distance:integer", "say race/another_word"),
        ("news title", "one and several are called the same"),
        ("order_item/orderitem name", "one and several are called the same"),
        ("a_1/a1 name", "one and several are called the same"),
        ("address street", "say address/another_word"),
        ("user name", "something else of that name"),
        ("product name:string{9..3}", "no text has 9..3 characters"),
        ("product name:string{0}", "no text has 0 characters"),
        ("product name:string{1..1001}", "no text has 1..1001 characters"),
        ("product name:string{a}", "{a} is no limit"),
        ("product size:integer{3..1}", "no number is in 3..1"),
        ("product price:decimal{2.3}", "say {10.2}"),
        ("product price:decimal{31.2}", "with 30 and 6 at most"),
        ("product day:date{1..2}", "takes no limits"),
        ("product state:enum", "different words"),
        ("product state:enum{a,a}", "different words"),
        ("product note:text:uniq", "cannot be unique"),
        ("product name:string{300}:uniq", "what is unique has 255"),
        ("product sku:uniq:index", "one mark is enough"),
        ("product sku:index:index", "one mark is enough"),
        ("product note:text:index", "has no index"),
        ("product extra:json{1..2}", "takes no limits"),
        ("product extra:json:uniq", "of type json cannot be unique"),
        ("product extra:json:index", "of type json has no index"),
        ("product name:string{300}:index", "what is indexed has 255"),
        ("product site:url:uniq", "what is unique has 255"),
        ("product site:url:index", "what is indexed has 255"),
        ("product site:url{39}", "of 40 to 2000"),
        ("product site:url{1..255}", "of 40 to 2000"),
        ("product share:float{1..0.5}", "no number is in {1..0.5}"),
        ("product share:float{..1e3}", "no number is in {..1e3}"),
        ("product share:float share_to:float", "narrowed by that parameter"),
        ("product at:datetime{1..2}", "takes no limits"),
        ("product at:datetime at_to:uuid", "narrowed by that parameter"),
        ("order_item name; orderitem name", "called as one of order_item"),
        ("pot lid_ring; lid/pots_lid ring", "a constraint of it would be called as one of pot"),
        ("product created_at_id:integer", "an index of every table"),
        ("product save:boolean", "every row in Django"),
        ("type name", "say type/another_word"),
        ("type/kinds name", "messages of Tornado's feed have"),
        ("row/lines name", "something else of that name"),
        ("bass/base name", "say bass/another_word"),
        ("me name", "something else of that name"),
        ("person/me name", "say person/another_word"),
        ("+product name", "no resource is called so; there are none"),
        ("-product", "no resource is called so; there are none"),
        ("person name; +product name", "there are person"),
        ("product name; +product sku!", "leave out the !"),
        ("product name; +product name", "has it twice"),
        ("product name; +product", "has no fields"),
        ("line x; line_item name; +line item_name", "called as one of line_item"),
        ("product name; -product; product name", "choose another name"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(said: str, reason: str) -> None:
    with pytest.raises(ResourceError) as refused:
        parse([said])
    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)
