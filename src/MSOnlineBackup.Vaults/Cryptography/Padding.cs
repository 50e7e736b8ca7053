using System.Numerics;

namespace MSOnlineBackup.Vaults.Cryptography;

/// <summary>
/// Which lengths things are padded to, so that a length says little of what is inside: the lengths of Padmé (Nikitin et al., 2019), of which there
/// are at most 32 for each doubling, and none that is no multiple of a smallest step.
/// </summary>
internal static class Padding
{
    /// <summary>The step of whole objects, in bytes: a block of most file systems.</summary>
    public const int ObjectStep = 4096;

    /// <summary>The shortest legal length that holds so many bytes.</summary>
    /// <param name="length">Not negative.</param>
    /// <param name="step">The smallest step: a power of two.</param>
    public static int LengthFor(int length, int step)
    {
        int exponent = BitOperations.Log2((uint)Math.Max(length, 2));
        int significant = BitOperations.Log2((uint)exponent) + 1;
        return RoundUp(length, Math.Max(step, 1 << Math.Max(0, exponent - significant)));
    }

    /// <summary>The next multiple.</summary>
    /// <param name="length">Not negative.</param>
    /// <param name="step">A power of two.</param>
    public static int RoundUp(int length, int step) => checked(length + step - 1) & -step;
}
