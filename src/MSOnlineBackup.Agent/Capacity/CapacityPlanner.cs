using System.Globalization;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Agent.Capacity;

/// <summary>
/// How much room backups take, as a pure function (docs/capacity.md). The newest point needs all of the protected files; an older one only what it has and the next newer one has not:
/// of what changes by a share of <c>c</c> a day, that is <c>1 − (1 − c)^g</c> over <c>g</c> days.
/// </summary>
public static class CapacityPlanner
{
    private const long MostYears = 99;
    private const double DaysPerYear = 365.25;
    private const int Horizon = 36_525;

    /// <summary>Computes it.</summary>
    /// <param name="request">What is assumed.</param>
    /// <param name="measured">What a vault says of what the request leaves open; null without a vault.</param>
    /// <exception cref="BackupException">ArgumentInvalid: something is missing, cannot be (negative, over 100 %), or needs more bytes than can be counted.</exception>
    public static CapacityPlan Plan(CapacityRequest request, CapacityMeasurement? measured)
    {
        ArgumentNullException.ThrowIfNull(request);
        long protectedBytes = request.ProtectedBytes ?? measured?.ProtectedBytes
            ?? throw Invalid("Nothing says how many bytes are protected.", "Name them, or a vault that has recovery points.");
        double change = request.DailyChange ?? measured?.DailyChange ?? throw Invalid(
            measured is null ? "Nothing says how much changes in a day." : "The vault does not say how much changes in a day: it needs two recovery points of a machine, at least an hour apart.",
            "Name the daily change, such as 10%.");
        double ratio = request.ReductionRatio ?? measured?.ReductionRatio ?? 1;
        Check(request, protectedBytes, change, ratio);
        var curve = new Curve(Ages(request), protectedBytes / ratio, change, request.GrowthPerYear);
        (double full, double changes) = curve.At((int)Math.Round(request.Years * DaysPerYear), Horizon);
        if (full + changes >= long.MaxValue)
        {
            throw Invalid("So much takes more bytes than can be counted.", "Name fewer bytes, less growth or fewer years.");
        }

        long fullBytes = (long)Math.Round(full);
        long required = (long)Math.Round(full + changes);
        long? pool = request.PoolBytes ?? (measured?.FreeBytes is { } free ? measured.StoredBytes + free : null);
        int? days = pool is { } bytes ? curve.DaysUntil(bytes, measured?.AgeDays ?? 0, measured?.StoredBytes) : null;
        return new CapacityPlan(protectedBytes, change, ratio, curve.Points, fullBytes, required - fullBytes, required, pool, days);
    }

    // How many days before the newest the others were made. The oldest of each rule is counted until the day on which maintenance deletes it.
    private static int[] Ages(CapacityRequest request)
    {
        var ages = new SortedSet<int>();
        Add(request.RetentionDays, 1);
        Add(request.RetentionWeeks, 7);
        Add(request.RetentionMonths, DaysPerYear / 12);
        Add(request.RetentionYears, DaysPerYear);
        return [.. ages];

        void Add(long count, double days)
        {
            for (int each = 1; each <= count; each++)
            {
                ages.Add((int)Math.Round(each * days));
            }
        }
    }

    private static void Check(CapacityRequest request, long protectedBytes, double change, double ratio)
    {
        Require(protectedBytes > 0, $"{protectedBytes:N0} protected bytes cannot be.", "Name a size above 0.");
        Require(change is >= 0 and <= 1, $"A daily change of {change * 100:0.##} % cannot be.", "Name a share from 0 to 100 %: 10% or 0.1.");
        Require(ratio is >= 0.1 and <= 1000, $"{ratio:0.##} bytes read for one that is stored cannot be.", "Name a ratio from 0.1 to 1000; 2 where half is stored.");
        Require(request.GrowthPerYear is >= 0 and <= 10, $"A growth of {request.GrowthPerYear * 100:0.##} % a year cannot be.", "Name a growth from 0 to 1000 %.");
        Require(request.Years is >= 0 and <= (int)MostYears, $"{request.Years} years ahead cannot be planned.", $"Name 0 to {MostYears} years.");
        Require(request.PoolBytes is null or > 0, $"A pool of {request.PoolBytes:N0} bytes cannot be.", "Name a size above 0.");
        Require(request.RetentionDays >= 1, $"{request.RetentionDays} days of retention cannot be.", "Keep the points of one day at least.");
        RequireRange("days", request.RetentionDays, (long)(MostYears * DaysPerYear));
        RequireRange("weeks", request.RetentionWeeks, (long)(MostYears * DaysPerYear / 7));
        RequireRange("months", request.RetentionMonths, MostYears * 12);
        RequireRange("years", request.RetentionYears, MostYears);
    }

    private static void RequireRange(string unit, long count, long most) =>
        Require(count >= 0 && count <= most, $"{count} {unit} of retention cannot be.", $"Name 0 to {most} {unit}.");

    private static void Require(bool holds, FormattableString message, string action)
    {
        if (!holds)
        {
            throw Invalid(message.ToString(CultureInfo.InvariantCulture), action);
        }
    }

    private static BackupException Invalid(string message, string action) => new(BackupErrorId.ArgumentInvalid, message, action);

    /// <summary>What is needed at a time.</summary>
    /// <param name="ages">How many days before the newest each of the others was made, ascending.</param>
    /// <param name="bytes">What the protected files take now.</param>
    /// <param name="change">The share of them that is another one after a day.</param>
    /// <param name="growth">By which share they grow in a year.</param>
    private sealed class Curve(int[] ages, double bytes, double change, double growth)
    {
        public int Points => ages.Length + 1;

        /// <summary>What the newest point takes that is made in some days, and what the others add that are no older than the first backup.</summary>
        /// <param name="day">In how many days.</param>
        /// <param name="oldest">How many days before that the first backup was made.</param>
        public (double Full, double Changes) At(int day, int oldest)
        {
            double changes = 0;
            int newer = 0;
            foreach (int age in ages)
            {
                if (age > oldest)
                {
                    break;
                }

                int gap = age - newer;
                double share = gap == 1 ? change : 1 - Math.Pow(1 - change, gap);
                changes += SizeIn(day - age) * share;
                newer = age;
            }

            return (SizeIn(day), changes);
        }

        /// <summary>In how many days more is needed than the pool has. More is needed each day than on the one before: so it is found by halving.</summary>
        /// <param name="pool">Its bytes.</param>
        /// <param name="since">For how many days there have been backups.</param>
        /// <param name="stored">What they take now, to which what comes is added; null for as much as is computed.</param>
        public int? DaysUntil(long pool, int since, long? stored)
        {
            double beside = stored is { } now ? now - NeededIn(0) : 0;
            int low = -1;
            int high = Horizon;
            if (NeededIn(high) + beside <= pool)
            {
                return null;
            }

            while (high - low > 1)
            {
                int middle = low + ((high - low) / 2);
                (low, high) = NeededIn(middle) + beside > pool ? (low, middle) : (middle, high);
            }

            return high;

            double NeededIn(int day)
            {
                (double full, double changes) = At(day, since + day);
                return full + changes;
            }
        }

        private double SizeIn(int day) => growth == 0 ? bytes : bytes * Math.Pow(1 + growth, day / DaysPerYear);
    }
}
