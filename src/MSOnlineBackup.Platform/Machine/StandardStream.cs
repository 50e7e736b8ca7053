using System.Runtime.InteropServices;

namespace MSOnlineBackup.Platform.Machine;

/// <summary>Whether a process was started with its standard streams.</summary>
public static partial class StandardStream
{
    /// <summary>
    /// Whether a standard stream was there when the process began. The number of one that was closed is given to the next
    /// file that the process opens, and what is written to it would go there. Files of its own are not for its children;
    /// what it was given itself is.
    /// </summary>
    /// <param name="descriptor">Its number on Unix.</param>
    public static bool IsOpen(int descriptor)
    {
        if (OperatingSystem.IsWindows())
        {
            return true;
        }

        const int GetFlags = 1;
        const int CloseOnExec = 1;
        int flags = FileControl(descriptor, GetFlags);
        return flags >= 0 && (flags & CloseOnExec) == 0;
    }

    /// <summary>
    /// Whether the reader of a standard stream has gone, so that whatever is written goes nowhere. Only of pipes and sockets, and only on Unix, that can be known; elsewhere it
    /// is false.
    /// </summary>
    /// <param name="descriptor">Its number on Unix.</param>
    public static bool IsReaderGone(int descriptor)
    {
        if (OperatingSystem.IsWindows())
        {
            return false;
        }

        const short Error = 0x8;
        const short HangUp = 0x10;
        var asked = new PollDescriptor { Descriptor = descriptor };
        return Poll(ref asked, 1, 0) > 0 && (asked.Answers & (Error | HangUp)) != 0;
    }

    [LibraryImport("libc", EntryPoint = "poll")]
    private static partial int Poll(ref PollDescriptor descriptors, nuint count, int milliseconds);

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int FileControl(int descriptor, int command);

    private struct PollDescriptor
    {
        public int Descriptor;
        public short Questions;
        public short Answers;
    }
}
