#!/usr/bin/env bash
# Prints the measurements of compare.sh or blob.sh as tables, with ratios to the first tool: table.sh FILE TOOL...
set -euo pipefail
export LC_ALL=C

file=$1
shift
awk -v tools="$*" '
    # The median of the values in the string, and their extremes.
    function summarise(values,    v, n, i, j, t) {
        n = split(values, v, " ")
        for (i = 2; i <= n; i++) {
            for (j = i; j > 1 && v[j] + 0 < v[j - 1] + 0; j--) { t = v[j]; v[j] = v[j - 1]; v[j - 1] = t }
        }
        low = v[1]
        high = v[n]
        return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
    }
    function value(tool, step, column) { return summarise(cell[tool, step, column]) }
    function add(tool, step,    column) {
        for (column = 4; column <= 8; column++) { cell[tool, step, column] = cell[tool, step, column] " " $column }
    }
    {
        add($1, $2)

        # A restore is worth what is on the medium.
        if ($2 == "restore") { split($0, restore, " ") }
        if ($2 == "settle") {
            for (column = 4; column <= 5; column++) { $column += restore[column] }
            $6 = restore[6]
            $7 += restore[7]
            add($1, "durable")
        }
    }
    END {
        count = split(tools, tool, " ")
        steps = split("initial unchanged changed restore durable verify", step, " ")
        printf "\n%-10s %-9s %8s %17s %8s %9s %11s\n", "step", "tool", "wall s", "min .. max", "CPU s", "peak MiB", "other CPU s"
        for (s = 1; s <= steps; s++) {
            for (t = 1; t <= count; t++) {
                if (!((tool[t], step[s], 4) in cell)) { continue }
                wall = value(tool[t], step[s], 4)
                range = sprintf("%.2f .. %.2f", low, high)
                cpu = value(tool[t], step[s], 5)
                peak = value(tool[t], step[s], 6) / 1024
                printf "%-10s %-9s %8.2f %17s %8.2f %9.0f %11.2f\n", step[s], tool[t], wall, range, cpu, peak, value(tool[t], step[s], 7)
            }
        }
        print ""
        for (s = 1; s <= 2; s++) {
            name = s == 1 ? "stored" : "stored-changed"
            for (t = 1; t <= count; t++) { if ((tool[t], name, 4) in cell) printf "%-20s %-9s %10.1f MiB\n", s == 1 ? "stored after initial" : "stored after changed", tool[t], value(tool[t], name, 4) / 1048576 }
        }
        if (count < 2) { exit }
        printf "\nRatios to %s (above 1: %s needs less); the range is that of the single rounds\n%-10s %-9s %8s %17s %8s %9s\n", tool[1], tool[1], "step", "tool", "wall", "min .. max", "CPU", "peak"
        for (s = 1; s <= steps; s++) {
            for (t = 2; t <= count; t++) {
                if (!((tool[t], step[s], 4) in cell)) { continue }
                rounds = split(cell[tool[1], step[s], 4], ours, " ")
                split(cell[tool[t], step[s], 4], theirs, " ")
                single = ""
                for (r = 1; r <= rounds; r++) { single = single " " theirs[r] / (ours[r] > 0 ? ours[r] : 0.01) }
                summarise(single)
                range = sprintf("%.2f .. %.2f", low, high)
                wall = value(tool[t], step[s], 4) / value(tool[1], step[s], 4)
                printf "%-10s %-9s %8.2f %17s %8.2f %9.2f\n", step[s], tool[t], wall, range, \
                    value(tool[t], step[s], 5) / value(tool[1], step[s], 5), value(tool[t], step[s], 6) / value(tool[1], step[s], 6)
            }
        }
        for (t = 2; t <= count; t++) { if ((tool[t], "stored", 4) in cell) printf "%-10s %-9s %8.3f\n", "stored", tool[t], value(tool[t], "stored", 4) / value(tool[1], "stored", 4) }
    }' "$file"
