/**
 * The one word for what nobody knows: no answer came, or none that says whether something was done. Nothing else is here,
 * so that both the model's side and the service's may import it.
 */
export const lost = 'lost';
