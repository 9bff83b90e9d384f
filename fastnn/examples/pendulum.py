"""Physics and a network in one: a layer of one's own takes a step of a pendulum, and a dense network corrects it.

The pendulum is pushed by air that drags with the square of the speed, which the physics in the layer does not know. It knows
gravity and a linear damping that is learned. A dense network of angle and speed adds what is missing. Both are trained
together on single steps, and then run on alone from starts that they have not seen. A dense network without physics, of the
same size, is trained on the same steps.
"""

import math

import numpy as np

from .. import Adam, CosineDecay, CustomLayer, Dense, Input, Network, check_layer, plot, register_layer
from . import options

STEP, DRAG, SAMPLES, EPOCHS, LENGTH = 0.1, 0.25, 300, 300, 100


@register_layer
class PendulumStep(CustomLayer):
    """A step of a damped pendulum (angle, speed) by the midpoint rule, a method of Runge and Kutta."""

    step: float = STEP

    def parameter_shapes(self, shape):
        return {"damping": (1,)}

    def memory_shapes(self, shape):
        return {"middle": (2,)}

    @staticmethod
    def forward(a, x, damping, middle, step):
        middle[0] = x[0] + 0.5 * step * x[1]
        middle[1] = x[1] + 0.5 * step * (-math.sin(x[0]) - damping[0] * x[1])
        a[0] = x[0] + step * middle[1]
        a[1] = x[1] + step * (-math.sin(middle[0]) - damping[0] * middle[1])

    @staticmethod
    def backward(dx, ddamping, da, x, damping, middle, step):
        half = 0.5 * step
        d_angle = -step * da[1] * math.cos(middle[0])  # of middle
        d_speed = step * (da[0] - da[1] * damping[0])
        ddamping[0] -= step * da[1] * middle[1] + half * d_speed * x[1]
        dx[0] = da[0] + d_angle - half * d_speed * math.cos(x[0])
        dx[1] = da[1] + half * d_angle + d_speed * (1.0 - half * damping[0])


def true_step(states, parts=20):
    """Return the states (…, 2) after a step, by many small ones."""
    angle, speed = states[..., 0], states[..., 1]
    for _ in range(parts):
        middle = speed + 0.5 * STEP / parts * (-np.sin(angle) - DRAG * speed * abs(speed))
        angle, speed = (angle + STEP / parts * middle,
                        speed + STEP / parts * (-np.sin(angle + 0.5 * STEP / parts * speed) - DRAG * middle * abs(middle)))
    return np.stack([angle, speed], axis=-1)


def with_physics():
    x = Input(2)
    physics = PendulumStep()(x, name="physics")
    return Network(inputs=x, outputs=physics + STEP * Dense(2)(Dense(16, "tanh")(x)), dtype="float64")


def without_physics():
    x = Input(2)
    return Network(inputs=x, outputs=x + STEP * Dense(2)(Dense(16, "tanh")(x)), dtype="float64")


def rollout(step, starts):
    """Return the states (starts, LENGTH + 1, 2) of runs."""
    states = [starts]
    for _ in range(LENGTH):
        states.append(step(states[-1]))
    return np.stack(states, axis=1)


def error_of(states, true):
    """Return the median over the runs of the root mean square error of the angle."""
    return float(np.median(np.sqrt(((states - true)[..., 0] ** 2).mean(axis=1))))


def main(argv=None):
    parsed = options("pendulum", __doc__).parse_args(argv)
    report = check_layer(PendulumStep(), 2)
    print(report, end="\n\n")
    random = np.random.default_rng(0)
    X, starts = random.uniform(-2, 2, size=(SAMPLES, 2)), random.uniform(-2, 2, size=(50, 2))
    nets = {"physics and a network": with_physics(), "a network alone": without_physics()}
    true = rollout(true_step, starts)
    runs, errors = {}, {}
    for name, net in nets.items():
        schedule = CosineDecay(1e-2, EPOCHS * -(-SAMPLES // 25))
        net.fit(X, true_step(X), epochs=EPOCHS, batch_size=25, optimizer=Adam(learning_rate=schedule))
        runs[name] = rollout(net.forward, starts)
        errors[name] = error_of(runs[name], true)
    physics = PendulumStep()
    damping = np.zeros(1)

    def physics_alone(states):
        out, middle = np.empty_like(states), np.empty(2)
        for a, x in zip(out, states, strict=True):
            physics.forward(a, x, damping, middle, STEP)  # a plain function of Python
        return out

    runs["physics alone"] = rollout(physics_alone, starts)
    errors["physics alone"] = error_of(runs["physics alone"], true)
    print(f"error of the angle over {LENGTH} steps, in radians: the median of {len(starts)} new starts")
    for name, error in errors.items():
        print(f"{name:<22}  {error:.4f}")
    print("\n" + plot.save_picture(parsed.picture, lambda: draw(true, runs)))
    return {"errors": errors, "passed": report.passed}


def draw(true, runs):
    """Draw the angle of one run over time."""
    ax = plot.axes(width=7.2, height=4.0)
    time = STEP * np.arange(LENGTH + 1)
    ax.plot(time, true[0, :, 0], color="0.6", linewidth=4, label="true")
    for color, (name, states) in zip(plot.COLORS, runs.items(), strict=False):
        ax.plot(time, states[0, :, 0], color=color, linewidth=1.3, label=name)
    ax.set(xlabel="time", ylabel="angle", title="A pendulum with drag, from a start that was not seen")
    ax.legend(loc="upper right")
    return ax


if __name__ == "__main__":
    main()
