using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace MSOnlineBackup.Platform.Machine;

/// <summary>From what Windows says this machine has its power.</summary>
public static partial class PowerStatus
{
    private const byte Offline = 0;

    /// <summary>Whether it runs on its battery.</summary>
    [SupportedOSPlatform("windows")]
    public static bool IsOnBattery => GetSystemPowerStatus(out SystemPowerStatus status) && status.Line == Offline;

    [LibraryImport("kernel32")]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool GetSystemPowerStatus(out SystemPowerStatus status);

    private struct SystemPowerStatus
    {
#pragma warning disable CS0649, IDE0044 // Filled in by the system.
        public byte Line;
        public byte BatteryFlag;
        public byte BatteryPercent;
        public byte SystemFlag;
        public uint Seconds;
        public uint FullSeconds;
#pragma warning restore CS0649, IDE0044
    }
}
