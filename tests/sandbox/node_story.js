// What a shop in Node.js does with the official SDK; prints what it saw as JSON.
const Stripe = require("stripe");

const [, , port, key, webhook] = process.argv;
const address = { host: "127.0.0.1", port, protocol: "http", maxNetworkRetries: 0, telemetry: false };
const stripe = new Stripe(key, address);
const price = { currency: "eur", unit_amount: 1999, product_data: { name: "Blue mug" } };
const order = {
  mode: "payment",
  line_items: [{ price_data: price, quantity: 1 }],
  success_url: "http://127.0.0.1:9/paid",
};
const payment = { amount: 1999, currency: "eur", confirm: true, return_url: "http://127.0.0.1:9/" };

async function refused(call) {
  try {
    await call();
  } catch (error) {
    return [error.type, error.statusCode, error.code ?? null, error.param ?? null];
  }
  return null;
}

async function sessions() {
  const made = [];
  for (let n = 0; n < 5; n += 1) made.push(await stripe.checkout.sessions.create(order));
  const seen = await stripe.checkout.sessions.list({ limit: 2 }).autoPagingToArray({ limit: 99 });
  const found = await stripe.checkout.sessions.retrieve(made[0].id, {
    expand: ["line_items.data.price.product"],
  });
  return {
    paged: seen.map((each) => each.id).join() === made.reverse().map((each) => each.id).join(),
    product: found.line_items.data[0].price.product.name,
    expired: (await stripe.checkout.sessions.expire(found.id)).status,
  };
}

async function money() {
  const held = await stripe.paymentIntents.create({
    ...payment, capture_method: "manual", payment_method: "pm_card_visa",
  });
  const captured = await stripe.paymentIntents.capture(held.id, { amount_to_capture: 1500 });
  const refund = await stripe.refunds.create({ payment_intent: held.id, amount: 500 });
  return [held.status, captured.amount_received, refund.status];
}

async function replay() {
  const first = await stripe.customers.create({ name: "Jo" }, { idempotencyKey: "k1" });
  const again = await stripe.customers.create({ name: "Jo" }, { idempotencyKey: "k1" });
  return [again.id === first.id, again.lastResponse.headers["idempotent-replayed"]];
}

async function errors() {
  const other = { idempotencyKey: "k1" };
  const declined = { ...payment, payment_method: "pm_card_chargeDeclined" };
  return [
    await refused(() => stripe.checkout.sessions.create({ ...order, payment_method_types: ["card"] })),
    await refused(() => stripe.customers.create({ name: "Al" }, other)),
    await refused(() => stripe.paymentIntents.create(declined)),
    await refused(() => stripe.customers.retrieve("cus_none")),
    await refused(() => new Stripe("sk_test_short", address).customers.list()),
  ];
}

function webhookSeen() {
  const { body, signature, secret } = JSON.parse(webhook);
  return stripe.webhooks.constructEvent(body, signature, secret).type;
}

async function main() {
  const story = { sessions: await sessions(), money: await money(), replay: await replay() };
  console.log(JSON.stringify({ ...story, errors: await errors(), webhook: webhookSeen() }));
}

main();
