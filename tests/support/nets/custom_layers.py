"""Custom layers for tests, made by functions so that each test registers its own and forgets it."""

import math

import numpy as np

import fastnn
from fastnn import CustomLayer


def affine():
    """Return a class of a dense layer."""

    @fastnn.register_layer
    class OwnAffine(CustomLayer):
        features: int = 4

        def output_shape(self, shape):
            return (self.features,)

        def parameter_shapes(self, shape):
            return {"weight": (shape[0], self.features), "bias": (self.features,)}

        @staticmethod
        def forward(a, x, weight, bias):
            for j in range(len(a)):
                a[j] = bias[j]
            for k in range(len(x)):
                for j in range(len(a)):
                    a[j] += x[k] * weight[k, j]

        @staticmethod
        def backward(dx, dweight, dbias, da, x, weight):
            for j in range(len(da)):
                dbias[j] += da[j]
            for k in range(len(x)):
                dx[k] = 0.0
                for j in range(len(da)):
                    dweight[k, j] += x[k] * da[j]
                    dx[k] += weight[k, j] * da[j]

    return OwnAffine


def runge_kutta():
    """Return a class of one Runge-Kutta step of a pendulum with damping that is learned."""

    def acceleration(angle, speed, damping):
        return -math.sin(angle) - damping * speed

    @fastnn.register_layer
    class OwnPendulum(CustomLayer):
        step: float = 0.1

        def output_shape(self, shape):
            if shape != (2,):
                raise ValueError(f"{self!r} takes angle and speed, and here a sample has the shape {shape}")
            return shape

        def parameter_shapes(self, shape):
            return {"damping": (1,)}

        def memory_shapes(self, shape):
            return {"middle": (2,)}

        @staticmethod
        def forward(a, x, damping, middle, step):
            # the midpoint rule
            middle[0] = x[0] + 0.5 * step * x[1]
            middle[1] = x[1] + 0.5 * step * acceleration(x[0], x[1], damping[0])
            a[0] = x[0] + step * middle[1]
            a[1] = x[1] + step * acceleration(middle[0], middle[1], damping[0])

        @staticmethod
        def backward(dx, ddamping, da, x, damping, middle, step):
            d_angle = -step * da[1] * math.cos(middle[0])
            d_speed = step * (da[0] - da[1] * damping[0])
            half = 0.5 * step
            ddamping[0] += -step * da[1] * middle[1] - half * d_speed * x[1]
            dx[0] = da[0] + d_angle - half * d_speed * math.cos(x[0])
            dx[1] = da[1] + half * d_angle + d_speed * (1.0 - half * damping[0])

    return OwnPendulum


def weighted_sum():
    """Return a class that joins three nodes by learned factors."""

    @fastnn.register_layer
    class OwnWeightedSum(CustomLayer):
        reads = "x", "y", "z"

        def parameter_shapes(self, shapes):
            return {"factors": (3,)}

        def initial_values(self, shapes, generator):
            return {"factors": 1.0}

        def forward(a, x, y, z, factors):
            for i in range(len(a)):
                a[i] = factors[0] * x[i] + factors[1] * y[i] + factors[2] * z[i]

        def backward(dx, dy, dz, dfactors, da, x, y, z, factors):
            for i in range(len(da)):
                dx[i], dy[i], dz[i] = factors[0] * da[i], factors[1] * da[i], factors[2] * da[i]
                dfactors[0] += x[i] * da[i]
                dfactors[1] += y[i] * da[i]
                dfactors[2] += z[i] * da[i]

    return OwnWeightedSum


def image_gain():
    """Return a class for images, with a gain for each channel and a flag."""

    @fastnn.register_layer
    class OwnGain(CustomLayer):
        squared: bool = False
        power: int = 1

        def parameter_shapes(self, shape):
            return {"gain": shape[-1:]}

        def initial_values(self, shape, generator):
            return {"gain": generator.uniform(0.5, 1.5, size=shape[-1:])}

        @staticmethod
        def forward(a, x, gain, squared, power):
            for i in range(x.shape[0]):
                for j in range(x.shape[1]):
                    for c in range(x.shape[2]):
                        a[i, j, c] = gain[c] * x[i, j, c] ** 2 if squared else power * gain[c] * x[i, j, c]

        @staticmethod
        def backward(dx, dgain, da, x, gain, squared, power):
            for i in range(x.shape[0]):
                for j in range(x.shape[1]):
                    for c in range(x.shape[2]):
                        dgain[c] += da[i, j, c] * (x[i, j, c] ** 2 if squared else power * x[i, j, c])
                        dx[i, j, c] = da[i, j, c] * gain[c] * (2.0 * x[i, j, c] if squared else np.float64(power))

    return OwnGain


def centered():
    """Return a class that subtracts a running mean, its state."""

    @fastnn.register_layer
    class OwnCentered(CustomLayer):
        momentum: float = 0.9

        def state_shapes(self, shape):
            return {"mean": shape}

        @staticmethod
        def forward(a, x, mean):
            for i in range(len(x)):
                a[i] = x[i] - mean[i]

        @staticmethod
        def backward(dx, da):
            dx[:] = da

        @staticmethod
        def update(mean, x, momentum):
            for i in range(len(x)):
                mean[i] = momentum * mean[i] + (1.0 - momentum) * x[i]

    return OwnCentered


CLASSES = {"affine": (affine, {"features": 5}, 7), "pendulum": (runge_kutta, {"step": 0.2}, 2),
           "weighted sum": (weighted_sum, {}, [4, 4, 4]), "gain": (image_gain, {"squared": True}, (3, 2, 4)),
           "centered": (centered, {}, 6)}
