//! Actions on deliveries: give up one that is held.

use super::row::{Call, Row};
use ao_api::request::Nothing;
use ao_api::session::DeliveryView;
use ao_core::event::Event;
use ao_core::id::DeliveryId;
use ao_core::kind::Fault;
use axum::http::Method;

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::new("DROP_DELIVERY", Method::POST, "/api/deliveries/{id}/drop", drop_delivery)
            .verb("ao send --drop")
            .says("Gives up a prompt that was not delivered, so that the next one can be."),
    ]
}

async fn drop_delivery(call: Call, _: Nothing) -> Result<DeliveryView, Fault> {
    let id = DeliveryId::new(call.part("id"));
    let find = || call.engine().read(|c| c.facts.deliveries.get(&id).map(DeliveryView::of));
    let missing =
        || Fault::not_found(format!("there is no delivery {id}")).hint("`ao explain SESSION` lists its deliveries");
    find().ok_or_else(missing)?;
    call.engine().command(Event::DeliveryDropped { delivery: id.clone() }).await?;
    find().ok_or_else(missing)
}
