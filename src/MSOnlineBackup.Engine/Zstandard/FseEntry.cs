using System.Runtime.InteropServices;

namespace MSOnlineBackup.Engine.Zstandard;

/// <summary>One state of an FSE decoding table: the value it stands for, and how to reach the next state.</summary>
/// <param name="Baseline">The value, or what the extra bits are added to.</param>
/// <param name="NextState">What the state bits are added to.</param>
/// <param name="ExtraBits">How many bits of the stream complete the value.</param>
/// <param name="StateBits">How many bits of the stream choose the next state.</param>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct FseEntry(uint Baseline, ushort NextState, byte ExtraBits, byte StateBits);
